// Calls: two people, or a few, who see and hear one another. Each shows what it has in a live
// room of its own and subscribes to those of the others; signals say who is in it. A signal
// may be lost: what is not answered is said again.
import { Refused } from "../requests.js";
import { Ringing } from "./ringing.js";
import { Screen } from "./screen.js";
import { isNode, nodesOf } from "./signals.js";
import { randomText } from "../wire.js";

const AGAIN_MS = 4_000; // between two times that the same is said
const PATIENCE_MS = 40_000; // that it rings, or that somebody may need to appear
const LOST_MS = 20_000; // without a picture or a sound, after which somebody is lost
const MOST_OTHERS = 3; // in a call, besides us
const LONGEST_ID = 64; // characters that name a call
const REPEATS = 10; // of an answer to somebody who never says that it has come

export class Calls {
  constructor(together) {
    this.together = together;
    this.store = together.store;
    this.live = together.live;
    this.current = null; // {id, room, since, capture, peers: node to what add() makes}
    this.ringing = new Ringing(this, together);
    together.signals.on("call", (signal, about) => this.received(signal, about));
  }

  // Who calls and waits for an answer, or null.
  get incoming() {
    return this.ringing.incoming;
  }

  // --- what we do

  ring(node) {
    if (this.together.busy || this.incoming) return;
    this.add(this.begin(randomText(8)), node, "ring");
    this.together.changed();
  }

  // Asks somebody else to come in.
  invite(node) {
    const call = this.current;
    if (!call || call.peers.size >= MOST_OTHERS || call.peers.has(node)) return;
    this.add(call, node, "ring");
    for (const peer of call.peers.values()) if (peer.room) this.say(call, peer, "accept");
    this.look(Date.now());
    this.together.changed();
  }

  accept() {
    if (!this.incoming || this.together.busy) return;
    const { id, from, room, others } = this.ringing.stop();
    const call = this.begin(id);
    this.join(call, this.add(call, from, "join"), room);
    for (const node of others) if (node !== from) this.add(call, node, "join");
    this.together.changed();
  }

  hangUp() {
    if (this.current) this.end(this.current, null);
  }

  leave() {
    this.ringing.decline();
    this.hangUp();
  }

  // --- a call

  begin(id) {
    this.together.shows.leave();
    this.together.over = null;
    const call = { id, room: null, since: null, peers: new Map(), capture: null, note: null };
    call.capture = this.together.capture(() => call.room);
    this.current = call;
    this.open(call);
    return call;
  }

  async open(call) {
    let room;
    try {
      room = await this.live.open(false, () => this.end(call, "call.lost"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.end(call, "live.failed", "", error.code);
      return;
    }
    if (this.current !== call) {
      this.live.close(room);
      return;
    }
    call.room = room;
    this.look(Date.now());
  }

  // `way`: "ring" somebody we ask, "join" somebody whom we tell that we are there, "expect"
  // somebody whom another has asked.
  add(call, node, way) {
    const now = Date.now();
    const peer = { node, way, room: null, screen: null, begun: now, said: 0, repeats: 0, settled: false, dropped: 0 };
    call.peers.set(node, peer);
    this.store.people.person(node);
    return peer;
  }

  // Somebody is there: what they show is what we see. Where another than themselves has said
  // which room is theirs, only what they push is.
  join(call, peer, room, isHearsay = false) {
    if (peer.room || !isNode(room)) return;
    Object.assign(peer, { room, screen: new Screen() });
    call.since ??= Date.now();
    const handlers = {
      raw: !isHearsay,
      piece: (bytes, from) => {
        if (!isHearsay || from === peer.node) peer.screen.piece(bytes);
      },
      dropped: (count) => (peer.dropped += count),
      ended: () => this.drop(call, peer, "call.left"),
    };
    this.live.subscribe(room, handlers).catch(() => {}); // on the next connection, or never
  }

  say(call, peer, say, more = {}) {
    peer.said = Date.now();
    const others = [...call.peers.values()].filter(({ way, room }) => way !== "expect" || room);
    const fields = {
      call: call.id, say, room: call.room, peer: peer.room, with: [this.store.me, ...others.map(({ node }) => node)],
      rooms: Object.fromEntries(others.filter(({ room }) => room).map(({ node, room }) => [node, room])), ...more,
    };
    const refused = () => {
      if (peer.way === "ring") this.drop(call, peer, "call.refused");
      else peer.settled = true; // no friends of ours; those who know us both tell them
    };
    this.together.signals.send(peer.node, "call", fields, { refused });
  }

  drop(call, peer, why) {
    if (this.current !== call || call.peers.get(peer.node) !== peer) return;
    call.peers.delete(peer.node);
    if (peer.room) this.live.unsubscribe(peer.room);
    if (why !== "call.refused") this.say(call, peer, "hang up");
    const name = this.store.people.nameOf(peer.node);
    if (!call.peers.size) this.end(call, why, name);
    else if (peer.way === "ring" || peer.room) call.note = { say: why, values: { name } };
    this.together.changed();
  }

  // `why` is a key of the texts, or null where nobody needs to be told.
  end(call, why, name = "", code = 0) {
    if (this.current !== call) return;
    this.current = null;
    call.capture.stop();
    for (const peer of call.peers.values()) this.say(call, peer, "hang up");
    if (call.room) this.live.close(call.room); // first, if these are our last words
    for (const { room } of call.peers.values()) if (room) this.live.unsubscribe(room);
    this.ringing.finish(call.id, true);
    this.together.finished(why, { name, code });
  }

  // --- what others say

  received(signal, { from, trusted }) {
    const { call: id, say } = signal;
    if (typeof id !== "string" || !id || id.length > LONGEST_ID) return;
    const call = this.current?.id === id ? this.current : null;
    const peer = call?.peers.get(from);
    if (peer && say === "ring" && call.room) this.say(call, peer, "accept"); // did not hear it
    else if (peer && say === "accept") this.accepted(call, peer, signal);
    else if (peer && say === "busy") this.drop(call, peer, "call.busy");
    else if (peer && say === "hang up") this.drop(call, peer, peer.room ? "call.left" : "call.declined");
    else if (!call) this.ringing.received(id, from, signal, trusted);
    this.together.changed();
  }

  // Whether we ask somebody, and nobody else, who has not answered yet.
  asks(node) {
    const peers = [...(this.current?.peers.values() ?? [])];
    return peers.length === 1 && peers[0].node === node && !peers[0].room;
  }

  accepted(call, peer, { room, peer: ours, with: list, rooms, answer }) {
    if (!isNode(room)) return;
    if (isNode(ours) && call.room && ours !== call.room) {
      this.ringing.finish(call.id, false);
      if (peer.way === "join") this.leaveQuietly(call); // another window of ours was quicker
      return;
    }
    const isNew = !peer.room;
    this.join(call, peer, room);
    if (peer.room !== room) return; // another window of theirs was quicker
    if (ours === call.room) peer.settled = true;
    for (const node of nodesOf(list, MOST_OTHERS + 1)) {
      const known = node === this.store.me || call.peers.has(node);
      if (!known && call.peers.size < MOST_OTHERS) this.add(call, node, "expect");
    }
    for (const other of call.peers.values()) {
      if (isNew && other !== peer && other.room) this.say(call, other, "accept", { answer: true });
      const heard = rooms && Object.hasOwn(rooms, other.node) ? rooms[other.node] : null;
      if (this.store.people.standing(other.node) !== "blocked") this.join(call, other, heard, true);
    }
    if (!answer) this.say(call, peer, "accept", { answer: true });
  }

  leaveQuietly(call) {
    for (const { room } of call.peers.values()) if (room) this.live.unsubscribe(room);
    call.peers.clear();
    this.end(call, null);
    this.ringing.finish(call.id, false);
  }

  // --- time

  look(now) {
    this.ringing.look(now);
    const call = this.current;
    if (!call?.room) return;
    for (const peer of [...call.peers.values()]) this.lookAt(call, peer, now);
  }

  lookAt(call, peer, now) {
    const { way, room, screen, begun, said, settled } = peer;
    if (room && now - screen.heard > LOST_MS) this.drop(call, peer, "call.lost");
    else if (!room && now - begun > PATIENCE_MS) this.drop(call, peer, "call.none");
    else if (now - said < AGAIN_MS || settled || way === "expect") return;
    else if (way === "ring" && !room) this.say(call, peer, "ring");
    else if (way === "join" && peer.repeats++ < REPEATS) this.say(call, peer, "accept");
  }
}
