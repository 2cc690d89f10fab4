// Somebody calls us: until it is answered, here or in another window, or nobody calls any more.
import { isNode, nodesOf } from "./signals.js";
import { ringOnce } from "./speakers.js";

const SILENCE_MS = 14_000; // without a word, after which nobody calls any more
const RING_MS = 2_500; // between two sounds
const MOST_OTHERS = 2; // who are there besides whoever calls
const MOST_DONE = 50; // calls that are remembered as done

export class Ringing {
  constructor(calls, together) {
    this.calls = calls;
    this.together = together;
    this.store = together.store;
    this.incoming = null; // {id, from, room, others, heard, rung}
    this.done = new Map(); // id: whether whoever still rings is to be told that it is over
  }

  // It does not ring any more; returns what has rung.
  stop() {
    const { incoming } = this;
    this.incoming = null;
    return incoming;
  }

  decline() {
    if (!this.incoming) return;
    const { id, from } = this.stop();
    this.finish(id, true);
    this.say(from, id, "hang up");
    this.together.changed();
  }

  say(node, id, say) {
    this.together.signals.send(node, "call", { call: id, say });
  }

  finish(id, tell) {
    this.done.set(id, tell);
    if (this.done.size > MOST_DONE) this.done.delete(this.done.keys().next().value);
  }

  received(id, from, signal, trusted) {
    const isIt = this.incoming?.id === id && this.incoming.from === from;
    if (signal.say === "ring" && trusted && isNode(signal.room)) this.rung(id, from, signal, isIt);
    else if (signal.say === "accept" && isIt) this.elsewhere(id);
    else if (signal.say === "hang up" && isIt) this.missed();
  }

  rung(id, from, { room, with: list }, isIt) {
    const asked = this.calls.asks(from); // two call each other at the same moment
    if (isIt) {
      this.incoming.heard = Date.now();
    } else if (this.done.has(id)) {
      if (this.done.get(id)) this.say(from, id, "hang up");
    } else if (asked && id < this.calls.current.id) {
      this.calls.end(this.calls.current, null); // the call with the smaller name is the one
      this.incoming = { id, from, room, others: [] };
      this.calls.accept();
    } else if (this.together.busy || this.incoming) {
      if (!asked) this.say(from, id, "busy");
    } else {
      const others = nodesOf(list, MOST_OTHERS + 2).filter((node) => node !== this.store.me && node !== from);
      this.begin(id, from, room, others.slice(0, MOST_OTHERS));
      this.together.news?.("call.incoming", { name: this.store.people.nameOf(from) });
    }
  }

  begin(id, from, room, others) {
    for (const node of others) this.store.people.person(node); // so that names are asked for
    this.incoming = { id, from, room, others, heard: Date.now(), rung: 0 };
    this.look(Date.now());
  }

  // Another window of ours has accepted.
  elsewhere(id) {
    this.stop();
    this.finish(id, false);
  }

  missed() {
    const { from } = this.stop();
    this.together.finished("call.missed", { name: this.store.people.nameOf(from) });
  }

  look(now) {
    const { incoming } = this;
    if (!incoming) return;
    if (now - incoming.heard > SILENCE_MS) {
      this.missed();
    } else if (now - incoming.rung >= RING_MS) {
      incoming.rung = now;
      ringOnce();
    }
  }
}
