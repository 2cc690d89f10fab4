// Calls: two people, or a few, who see and hear one another. Each shows what it has in a live
// room of its own and subscribes to those of the others; signals say who is in it. A signal
// may be lost: what is not answered is said again.
import { Refused } from "./requests.js";
import { Screen } from "./screen.js";
import { isNode, nodesOf } from "./signals.js";
import { randomText } from "./wire.js";

const AGAIN_MS = 4_000; // between two times that the same is said
const PATIENCE_MS = 40_000; // that it rings, or that somebody may need to appear
const SILENCE_MS = 14_000; // without a word, after which nobody calls any more
const LOST_MS = 20_000; // without a picture or a sound, after which somebody is lost
const MOST_OTHERS = 3; // in a call, besides us
const REPEATS = 10; // of an answer to somebody who never says that it has come
const MOST_DONE = 50; // calls that are remembered as done

export class Calls {
  constructor(together) {
    this.together = together;
    this.store = together.store;
    this.live = together.live;
    this.current = null; // {id, room, since, capture, peers: node to what add() makes}
    this.incoming = null; // {id, from, room, others, heard}
    this.done = new Map(); // id: whether whoever still rings is to be told that it is over
    together.signals.on("call", (signal, about) => this.received(signal, about));
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
    const { id, from, room, others } = this.incoming ?? {};
    if (!id || this.together.busy) return;
    this.incoming = null;
    const call = this.begin(id);
    this.join(call, this.add(call, from, "join"), room);
    for (const node of others) if (node !== from) this.add(call, node, "join");
    this.together.changed();
  }

  decline() {
    const { id, from } = this.incoming ?? {};
    if (!id) return;
    this.incoming = null;
    this.finish(id, true);
    this.together.signals.send(from, "call", { call: id, say: "hang up" });
    this.together.changed();
  }

  hangUp() {
    if (this.current) this.end(this.current, null);
  }

  leave() {
    this.decline();
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

  // Somebody is there: what they show is what we see.
  join(call, peer, room) {
    if (peer.room || !isNode(room)) return;
    Object.assign(peer, { room, screen: new Screen() });
    call.since ??= Date.now();
    const handlers = {
      raw: true,
      piece: (bytes) => peer.screen.piece(bytes),
      dropped: (count) => (peer.dropped += count),
      ended: () => this.drop(call, peer, "call.left"),
    };
    this.live.subscribe(room, handlers).catch(() => {}); // on the next connection, or never
  }

  say(call, peer, say, more = {}) {
    peer.said = Date.now();
    const others = [...call.peers.values()].filter(({ way }) => way !== "expect").map(({ node }) => node);
    const fields = { call: call.id, say, room: call.room, peer: peer.room, with: [this.store.me, ...others], ...more };
    const refused = () => this.drop(call, peer, "call.refused");
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
    for (const peer of call.peers.values()) {
      this.say(call, peer, "hang up");
      if (peer.room) this.live.unsubscribe(peer.room);
    }
    call.capture.stop();
    if (call.room) this.live.close(call.room);
    this.finish(call.id, true);
    this.together.finished(why, { name, code });
  }

  finish(id, tell) {
    this.done.set(id, tell);
    if (this.done.size > MOST_DONE) this.done.delete(this.done.keys().next().value);
  }

  // --- what others say

  received(signal, { from, trusted }) {
    const id = signal.call;
    if (typeof id !== "string" || !id || id.length > 64) return;
    const call = this.current?.id === id ? this.current : null;
    if (signal.say === "ring") this.rung(id, from, signal, trusted);
    else if (signal.say === "accept" && call) this.accepted(call, from, signal);
    else if (signal.say === "accept" && this.incoming?.id === id) this.elsewhere(id, from);
    else if (signal.say === "busy" && call) this.left(call, from, "call.busy");
    else if (signal.say === "hang up" && call) this.left(call, from, "call.left");
    else if (signal.say === "hang up" && this.isFrom(id, from)) this.missed();
    this.together.changed();
  }

  rung(id, from, { room, with: list }, trusted) {
    const { current } = this;
    if (current?.id === id) {
      const peer = current.peers.get(from);
      if (peer && current.room) this.say(current, peer, "accept"); // did not hear it
    } else if (!trusted || !isNode(room)) {
      // Nobody who may ring here.
    } else if (this.done.has(id)) {
      if (this.done.get(id)) this.together.signals.send(from, "call", { call: id, say: "hang up" });
    } else if (this.isFrom(id, from)) {
      this.incoming.heard = Date.now();
    } else if (this.crosses(id, from)) {
      this.crossed(id, from, room);
    } else if (this.together.busy || this.incoming) {
      if (!this.mirrors(from)) this.together.signals.send(from, "call", { call: id, say: "busy" });
    } else {
      const others = nodesOf(list, MOST_OTHERS + 1).filter((node) => node !== this.store.me && node !== from);
      for (const node of others) this.store.people.person(node);
      this.incoming = { id, from, room, others: others.slice(0, MOST_OTHERS - 1), heard: Date.now() };
      this.together.news?.("call.incoming", { name: this.store.people.nameOf(from) });
    }
  }

  isFrom(id, from) {
    return this.incoming?.id === id && this.incoming.from === from;
  }

  // Two who call each other at the same moment.
  mirrors(from) {
    const peers = [...(this.current?.peers.values() ?? [])];
    return peers.length === 1 && peers[0].node === from && !peers[0].room;
  }

  // Then the call with the smaller number is the one.
  crosses(id, from) {
    return this.mirrors(from) && id < this.current.id;
  }

  crossed(id, from, room) {
    this.end(this.current, null);
    this.incoming = { id, from, room, others: [], heard: Date.now() };
    this.accept();
  }

  accepted(call, from, { room, peer: ours, with: list, answer }) {
    const peer = call.peers.get(from);
    if (!peer || !isNode(room)) return;
    if (isNode(ours) && call.room && ours !== call.room) {
      this.finish(call.id, false);
      if (peer.way === "join") this.leaveQuietly(call); // another window of ours was quicker
      return;
    }
    this.join(call, peer, room);
    if (peer.room !== room) return; // another window of theirs was quicker
    if (ours === call.room) peer.settled = true;
    for (const node of nodesOf(list, MOST_OTHERS + 1)) {
      const known = node === this.store.me || call.peers.has(node);
      if (!known && call.peers.size < MOST_OTHERS) this.add(call, node, "expect");
    }
    if (!answer) this.say(call, peer, "accept", { answer: true });
  }

  leaveQuietly(call) {
    for (const { room } of call.peers.values()) if (room) this.live.unsubscribe(room);
    call.peers.clear();
    this.end(call, null);
    this.finish(call.id, false);
  }

  // Another window of ours has accepted.
  elsewhere(id, from) {
    if (!this.isFrom(id, from)) return;
    this.incoming = null;
    this.finish(id, false);
  }

  left(call, from, why) {
    const peer = call.peers.get(from);
    if (!peer) return;
    this.drop(call, peer, why === "call.left" && !peer.room ? "call.declined" : why);
  }

  missed() {
    const { from } = this.incoming;
    this.incoming = null;
    this.together.finished("call.missed", { name: this.store.people.nameOf(from) });
  }

  // --- time

  look(now) {
    if (this.incoming && now - this.incoming.heard > SILENCE_MS) this.missed();
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
