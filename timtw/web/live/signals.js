// What pages and programs tell each other about calls, live rooms and files: small JSON
// texts to those who are there, kept nowhere. docs/how-to/live-in-the-page.md has their form.
import { newId, SIGNAL, TO_ROOM, TO_USER, TYPE } from "../wire.js";

const LONGEST = 4096; // characters of a signal that is read
const REMEMBERED = 64; // signals whose refusal still means something

export class Signals {
  constructor(store, link) {
    this.store = store;
    this.link = link;
    this.handlers = new Map(); // kind: called with (signal, {from, room, trusted})
    this.sent = new Map(); // number of a signal: called with the code of its refusal
  }

  on(kind, handler) {
    this.handlers.set(kind, handler);
  }

  // To an account, or to a group; `member` is one account of that group.
  send(node, kind, fields, { member = null, refused = null } = {}) {
    const { groups } = this.store;
    const address = member ? this.toMember(node, member) : groups.address(node);
    const id = newId();
    this.sent.set(id, refused);
    if (this.sent.size > REMEMBERED) this.sent.delete(this.sent.keys().next().value);
    const dataString = JSON.stringify({ timtw: 1, kind, ...fields });
    return this.link.send(TYPE.MESSAGE, { ...address, odType: SIGNAL, id, dataString });
  }

  // One of a group, who need not be a friend; in a conversation of two the other one.
  toMember(node, member) {
    const roomTid = this.store.groups.isRoom(node) ? { node } : undefined;
    return { msType: TO_USER, toTid: { node: member }, roomTid };
  }

  // True when the refusal was that of a signal.
  refused(id, code) {
    if (!this.sent.has(id)) return false;
    this.sent.get(id)?.(code);
    this.sent.delete(id);
    return true;
  }

  received({ msType, fromTid, roomTid, dataString }) {
    const from = fromTid?.node;
    const signal = read(dataString);
    if (!signal || typeof from !== "string" || from === this.store.me) return;
    const room = roomTid?.node ?? null;
    const trusted = room ? this.store.groups.isMine(room) : this.knows(from);
    if (trusted) this.store.people.person(from); // so that its name is asked for
    const alone = msType !== TO_ROOM;
    this.handlers.get(signal.kind)?.(signal, { from, room, alone, trusted });
  }

  // A friend; or, where strangers may write, somebody one has a conversation with.
  knows(node) {
    const { people, state } = this.store;
    if (people.standing(node) === "friend") return true;
    return people.mayWrite(node) && Boolean(state.conversations[node]);
  }
}

// The signal in a text, or null.
function read(text) {
  if (typeof text !== "string" || text.length > LONGEST) return null;
  try {
    const signal = JSON.parse(text);
    const fine = signal?.timtw === 1 && typeof signal.kind === "string" && typeof signal.say === "string";
    return fine ? signal : null;
  } catch {
    return null;
  }
}

// Whether this can be the number of a virtual room or an account.
export function isNode(value) {
  return typeof value === "string" && /^[0-9A-Za-z]{1,24}$/.test(value);
}

// The accounts in a list of a signal, as many as may be.
export function nodesOf(value, most) {
  return Array.isArray(value) ? value.filter(isNode).slice(0, most) : [];
}
