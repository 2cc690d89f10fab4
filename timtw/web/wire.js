// Frames of the client protocol, bytes to values and back. Nothing here knows a socket.
// Source of every number: docs/reference/protocol.md.

export const TYPE = Object.freeze({
  ACK: 12,
  PING: 13,
  REGISTER: 14,
  CREDENTIAL: 15,
  LOGIN: 16,
  BACKLOG: 17,
  BACKLOG_END: 18,
  BROADCAST: 19,
  LOGOUT: 20,
  HISTORY: 21,
  VROOM: 22,
  BUSINESS: 41,
  NODES: 42,
  MESSAGE: 90,
  PRESENCE: 91,
  REVOKE: 92,
  BURN: 93,
  STREAM: 94,
  BIG_STRING: 95,
  BIG_BINARY: 96,
  BIG_STREAM: 97,
});

export const TO_ROOM = 3; // msType of a message to a group
export const TO_USER = 2; // msType of a message between two accounts
export const TEXT = 1; // odType of a text
export const REVOKED = 2; // odType: the author takes a text back
export const BURNT = 3; // odType: the reader has it taken away
export const NOTICE = 4; // odType: what has happened between two accounts
export const SIGNAL = 5; // odType of what is for those who are there, and kept nowhere
export const DELIVERED = 8; // odType of a delivered mark
export const RELATIONS_CHANGED = 10; // odType: own lists of accounts have changed
export const READ = 11; // odType of a read mark
export const DROPPED = 12; // odType: pieces of a virtual room that did not come, mid of them
export const ROOM_OVER = 13; // odType: a virtual room has ended
// rtypes about virtual rooms, and what their reqInt says.
export const VROOM = Object.freeze({ CREATE: 1, REMOVE: 2, ALLOW: 3, FORBID: 4, SUBSCRIBE: 5, UNSUBSCRIBE: 6 });
export const FILE_ROOM = 1; // reqInt of CREATE: whoever pushes is slowed down; nothing is dropped
export const RAW = 1; // reqInt of SUBSCRIBE: pieces come as they are, without who pushed them
export const MARKS = 67; // rtype: own read marks
export const STEP = Object.freeze({ ASK: 4, LEAVE: 6, BLOCK: 7 }); // rtypes
export const TOLD = Object.freeze({ REQUEST: 4, FRIENDS: 5, ENDED: 6 }); // bnTypes
export const CIRCLE = Object.freeze({ FRIENDS: 1, BLOCKED: 18, ASKING: 65, ASKED: 66 }); // rtypes
// rtypes about groups, and bnTypes of what is told about them.
export const ROOM = Object.freeze({
  MINE: 2, MEMBERS: 3, CREATE: 8, JOIN: 9, REJECT: 11, PULL_IN: 12, REMOVE: 13, BLOCK: 14, BAR: 15,
  LEAVE: 16, DISSOLVE: 17, BLOCKED: 19, BARRED: 20,
});
export const ROOM_NEWS = Object.freeze({ REQUEST: 9, IN: 10, REJECTED: 11, PULLED_IN: 12, REMOVED: 13 });
export const PRIVATE = 1; // how one gets into a group: founder and managers let one in
export const OPEN = 2;
export const FIND = 64; // rtype: look up an account by its exact name
export const PROFILES = 4; // ntype: profiles of accounts
export const ROOM_PROFILES = 5; // ntype: profiles of groups
export const CHANGE_ROOM = 7; // ntype: change the profile of a group
export const OWN_PROFILE = 6; // ntype: change the own profile

const JSON_BIT = 0x80; // client to server: the payload is JSON
const ACK_BIT = 0x80; // server to client: four bytes follow that must be sent back
const SEPARATOR = 0x83; // between a node and data
const BAR = 0x7c; // the same in front of text
const PIECE_BYTES = 6; // of a piece besides its node and data: type, length, separator
const encoder = new TextEncoder();
const decoder = new TextDecoder();

// The frame of a type with a JSON payload; without a body the type byte alone.
export function encode(type, body) {
  const payload = body === undefined ? new Uint8Array() : encoder.encode(JSON.stringify(body));
  const frame = new Uint8Array(1 + payload.length);
  frame[0] = type | JSON_BIT;
  frame.set(payload, 1);
  return frame;
}

// The acknowledgement of a frame: its four bytes, unchanged.
export function encodeAck(id) {
  const frame = new Uint8Array(5);
  frame[0] = TYPE.ACK | JSON_BIT;
  frame.set(id, 1);
  return frame;
}

// The frame that pushes these arrays of bytes as one piece into a virtual room.
export function encodePiece(room, ...parts) {
  const node = encoder.encode(room);
  const length = parts.reduce((sum, part) => sum + part.length, PIECE_BYTES + node.length);
  const frame = new Uint8Array(length);
  frame[0] = TYPE.BIG_STREAM;
  new DataView(frame.buffer).setUint32(1, length);
  frame.set(node, 5);
  let at = 5 + node.length;
  frame[at++] = SEPARATOR;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

// A frame of types 95 to 97: {type, id, node, data}; there is nothing to acknowledge.
function decodeBig(type, bytes) {
  const at = bytes.findIndex((byte) => byte === SEPARATOR || (type === TYPE.BIG_STRING && byte === BAR));
  if (at < 0) throw new Error("frame without a node");
  return { type, id: null, node: decoder.decode(bytes.subarray(1, at)), data: bytes.subarray(at + 1) };
}

// A server frame: {type, id (the bytes to acknowledge, or null), body (object or null)}.
// Throws on anything that is not a frame.
export function decode(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length === 0) throw new Error("empty frame");
  const type = bytes[0] & 0x7f;
  if (type >= TYPE.BIG_STRING && type <= TYPE.BIG_STREAM) return decodeBig(type, bytes);
  const wanted = (bytes[0] & ACK_BIT) !== 0;
  const start = wanted ? 5 : 1;
  if (bytes.length < start) throw new Error("frame without its number");
  const payload = bytes.subarray(start);
  return {
    type,
    id: wanted ? bytes.slice(1, 5) : null,
    body: payload.length ? JSON.parse(decoder.decode(payload)) : null,
  };
}

// A random number for one text: 1 to 2^53 - 1, so that every client can hold it.
export function newId() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 0x200000) * 0x100000000 + low || 1;
}

// The bytes of base64, or null if it is none.
export function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

// Bytes as hexadecimal text.
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Random bytes as hexadecimal text.
export function randomText(size) {
  return hex(crypto.getRandomValues(new Uint8Array(size)));
}
