// The shape of what a device remembers over a reload.
import { randomText } from "./wire.js";

export function freshState() {
  return {
    resource: "web-" + randomText(8),
    account: null, // {node, login}
    credential: null,
    ended: null, // why the login ended, if it was not the user's wish
    seq: 0, // the log is stored up to here
    oldSeq: 0, // entries up to here were there before this device: they count as read
    people: {}, // node: {name, login}
    presence: { show: 1, status: "" }, // how we appear, see presence.js
    standings: {}, // node: what an account is to us, see people.js
    rooms: {}, // node: what a group tells about itself and is to us, see groups.js
    requests: {}, // node: {text, time} of a request that came
    conversations: {}, // node: see newConversation
    outbox: [], // {id, peer, text, time, state: "sending" | "failed", code}
    open: null,
    tab: "chats", // or "people"
  };
}

// `read`: how far we have read on any device, `seen`: how far the other has; `room`: it is of a group; `met`: the two are friends; `refused`: the node did not let a text to it pass;
// `within`: a group in which both are, so that one need not be a friend to write.
export function newConversation() {
  return {
    preview: null, time: 0, top: 0, counted: 0, unread: 0, delivered: 0, draft: "",
    read: 0, seen: 0, room: false, met: false, refused: false, within: null,
  };
}
