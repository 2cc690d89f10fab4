// Texts on their way. Each has a number of its own from the moment it was typed, and every
// repetition carries it: the node stores a text once however often it is sent.
import { TEXT, TYPE } from "./wire.js";

const ECHO_MS = 15_000; // without the echo by then the text shows as not sent
const REPEAT_MS = 20 * 3600 * 1000; // below the 24 hours for which repeats are recognised
const NOT_ALLOWED = 4105; // code of a text to somebody who is no friend, or a block
const SILENCE = 0; // code of a text that nobody answered
const TOO_LONG = 1009; // code of a text that is longer than this node takes

export class Outbox {
  constructor(store, link, live) {
    this.store = store;
    this.link = link;
    this.live = live; // tells whether the log is read: what was stored shows there first
    this.sent = new Set(); // numbers written to the present connection
    this.longest = { id: null, size: 0 }; // the longest of them
    this.timers = new Map();
    for (const { id, state } of store.state.outbox) {
      if (state === "sending") this.watch(id);
    }
  }

  write(peer, text) {
    const { id } = this.store.write(peer, text);
    this.watch(id);
    this.flush();
  }

  again(id) {
    this.store.setWaiting(id, "sending");
    this.sent.delete(id);
    this.watch(id);
    this.flush();
  }

  // Sends what waits, in the order it was typed. A text that was refused waits for its
  // writer; one that only got no answer goes out by itself.
  flush() {
    if (!this.live()) return;
    for (const { id, peer, text, time, state, code } of [...this.store.state.outbox]) {
      const unanswered = state === "failed" && code === SILENCE;
      const young = Date.now() - time < REPEAT_MS;
      if (this.sent.has(id) || !(state === "sending" || (unanswered && young))) continue;
      const message = { ...this.store.groups.destination(peer), odType: TEXT, id, dataString: text };
      if (!this.link.send(TYPE.MESSAGE, message)) return;
      this.sent.add(id);
      if (text.length >= this.longest.size) this.longest = { id, size: text.length };
      if (unanswered) this.store.setWaiting(id, "sending");
      this.watch(id);
    }
  }

  refused(id, code) {
    this.unwatch(id);
    const waiting = this.store.waiting(id);
    if (waiting && code === NOT_ALLOWED) this.store.conversation(waiting.peer).refused = true;
    this.store.setWaiting(id, "failed", code || 5101);
  }

  // The node ends the connection for the length of a text: surely that of the longest,
  // which would end the next connection as well.
  tooLong() {
    if (this.longest.id) this.refused(this.longest.id, TOO_LONG);
  }

  lost() {
    this.sent.clear();
    this.longest = { id: null, size: 0 };
  }

  watch(id) {
    this.unwatch(id);
    const late = () => {
      this.timers.delete(id);
      if (this.store.waiting(id)?.state === "sending") {
        this.store.setWaiting(id, "failed", SILENCE);
      }
    };
    this.timers.set(id, setTimeout(late, ECHO_MS));
  }

  unwatch(id) {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }
}
