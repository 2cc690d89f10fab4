// Files for somebody who is there: offered, taken or refused, sent through a virtual room in
// pieces, checked by size and SHA-256, and only then saved.
import { cleanName } from "./filenames.js";
import { Refused } from "../requests.js";
import { sendPieces } from "./sending.js";
import { Sha256 } from "./sha256.js";
import { isNode } from "./signals.js";
import { randomText } from "../wire.js";

const FOLD = 4 * 1024 * 1024; // bytes that are held before the browser may put them away
const LARGEST = 4 * 1024 ** 3; // bytes of a file that is offered or taken
const AGAIN_MS = 5_000; // between two times that the same is said
const FORGET_MS = 30_000; // without a word from who says it again, after which nobody offers
const WAITING_MS = 600_000; // the same for who says it only once
const STALL_MS = 60_000; // without a piece or an answer, after which it has failed
const REPEATS = 6; // of the checksum, to a receiver that never says that it has come
const MOST = 20; // offers of others that are shown
const SHOW_MS = 200; // between two looks of the page at the progress

const MOVING = new Set(["receiving", "sending", "checking"]);
const OPEN = new Set([...MOVING, "offering", "offered"]);

export class Files {
  constructor(together) {
    this.together = together;
    this.live = together.live;
    this.store = together.store;
    this.list = []; // what add() makes, the newest last
    this.shown = 0;
    together.signals.on("file", (signal, about) => this.received(signal, about));
  }

  get moving() {
    return this.list.some(({ state }) => OPEN.has(state));
  }

  of(node) {
    return this.list.filter((one) => one.node === node);
  }

  // States: "offering", "sending", "checking" here; "offered", "receiving" there; then "done",
  // "refused", "cancelled" or "failed", with the reason in `problem`.
  add(fields) {
    const one = {
      key: randomText(8), room: null, moved: 0, problem: null, said: 0, repeats: 0, heard: Date.now(),
      sum: new Sha256(), ...fields,
    };
    this.list.push(one);
    return one;
  }

  say(one, say, more = {}) {
    one.said = Date.now();
    const refused = () => this.fail(one, "forbidden");
    this.together.signals.send(one.node, "file", { room: one.room, say, ...more }, { refused });
  }

  enter(one, state, problem = null) {
    Object.assign(one, { state, problem });
    this.together.changed();
  }

  // --- sending

  async offer(node, file) {
    const { name, size, type } = file;
    const one = this.add({ node, mine: true, file, name, size, type, state: "offering" });
    if (size > LARGEST) {
      this.enter(one, "failed", "large");
      return;
    }
    this.together.changed();
    let room;
    try {
      room = await this.live.open(true, () => this.fail(one, "gone"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      one.code = error.code;
      this.fail(one, "refusal");
      return;
    }
    one.room = room;
    if (one.state === "offering") this.ask(one);
    else this.live.close(room);
  }

  ask(one) {
    this.say(one, "offer", { name: one.name, size: one.size, type: one.type });
  }

  async send(one) {
    this.enter(one, "sending");
    const { live } = this;
    const { link } = this.together;
    const problem = await sendPieces(one, { live, link, progress: (...about) => this.progress(...about) });
    if (one.state !== "sending") return;
    if (problem) {
      this.fail(one, problem);
      return;
    }
    one.sha256 = one.sum.digest();
    one.heard = Date.now();
    this.enter(one, "checking");
    this.say(one, "done", { sha256: one.sha256 });
  }

  progress(one, size) {
    one.moved += size;
    one.heard = Date.now();
    if (one.heard - this.shown < SHOW_MS) return;
    this.shown = one.heard;
    this.store.notify();
  }

  // --- receiving

  async take(one) {
    if (one.state !== "offered") return;
    Object.assign(one, { parts: [], held: 0, heard: Date.now() });
    this.enter(one, "receiving");
    try {
      await this.live.subscribe(one.room, {
        raw: true,
        piece: (bytes) => this.piece(one, bytes),
        dropped: () => this.fail(one, "incomplete"),
        ended: () => this.fail(one, "gone"),
      });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fail(one, "lost");
      return;
    }
    if (one.state === "receiving") this.say(one, "take", { by: one.key });
  }

  piece(one, bytes) {
    if (one.state !== "receiving") return;
    if (one.moved + bytes.length > one.size) {
      this.fail(one, "size");
      return;
    }
    one.sum.update(bytes);
    one.parts.push(bytes);
    one.held += bytes.length;
    if (one.held >= FOLD) Object.assign(one, { parts: [new Blob(one.parts)], held: 0 });
    this.progress(one, bytes.length);
    this.check(one);
  }

  // All is there, and the sender has said what it should be.
  check(one) {
    if (one.state !== "receiving" || one.moved < one.size || !one.expected) return;
    this.live.unsubscribe(one.room);
    one.sha256 = one.sum.digest();
    if (one.sha256 !== one.expected) {
      this.fail(one, "checksum");
      return;
    }
    one.blob = new Blob(one.parts, { type: "application/octet-stream" }); // shown by nobody
    one.parts = null;
    this.enter(one, "done");
    this.say(one, "done", { sha256: one.sha256 });
    this.save(one);
  }

  // As the browser saves what is downloaded; asked for by whoever took the file.
  save({ blob, name }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), STALL_MS);
  }

  // --- the end

  refuse(one) {
    this.say(one, "refuse");
    this.drop(one);
  }

  cancel(one) {
    if (one.room) this.say(one, "cancel");
    this.settle(one, "cancelled");
  }

  fail(one, problem) {
    if (!OPEN.has(one.state)) return;
    if (one.room && problem !== "lost") this.say(one, "cancel");
    this.settle(one, "failed", problem);
  }

  settle(one, state, problem = null) {
    if (!OPEN.has(one.state)) return;
    one.parts = null;
    if (one.room && one.mine) this.live.close(one.room);
    else if (one.room) this.live.unsubscribe(one.room);
    this.enter(one, state, problem);
  }

  // Nothing of it is shown any more.
  drop(one) {
    this.list = this.list.filter((other) => other !== one);
    this.together.changed();
  }

  // What flows is not kept anywhere: it cannot go on.
  lost() {
    for (const one of this.list) if (MOVING.has(one.state)) this.fail(one, "lost");
  }

  leave() {
    for (const one of this.list) {
      if (one.state === "offered") this.drop(one);
      else if (OPEN.has(one.state)) this.cancel(one);
    }
    this.list = [];
  }

  // --- what others say

  received(signal, { from, trusted, alone }) {
    const { room, say } = signal;
    if (!isNode(room) || !alone) return;
    const one = this.list.find((other) => other.room === room && other.node === from);
    if (one) this.about(one, signal);
    else if (say === "offer" && trusted) this.offered(from, signal);
  }

  about(one, { say, by, sha256 }) {
    one.heard = Date.now();
    const { state, mine } = one;
    if (say === "offer") one.again = true;
    else if (say === "cancel") this.settle(one, "cancelled");
    else if (mine && say === "take") this.taken(one, by);
    else if (mine && say === "refuse" && state === "offering") this.settle(one, "refused");
    else if (mine && say === "done" && state === "checking") this.arrived(one, sha256);
    else if (!mine && say === "taken" && state === "offered" && by !== one.key) this.drop(one);
    else if (!mine && say === "done") this.announced(one, sha256);
  }

  // The first window that takes it gets it.
  taken(one, by) {
    if (one.state !== "offering") return;
    this.say(one, "taken", { by: typeof by === "string" ? by.slice(0, 64) : "" });
    this.send(one);
  }

  arrived(one, sha256) {
    if (sha256 === one.sha256) this.settle(one, "done");
    else this.fail(one, "checksum");
  }

  announced(one, sha256) {
    if (one.state === "done") this.say(one, "done", { sha256: one.sha256 }); // did not hear it
    if (one.state !== "receiving" || typeof sha256 !== "string") return;
    one.expected = sha256.toLowerCase();
    this.check(one);
  }

  offered(node, { room, name, size }) {
    const fine = typeof name === "string" && Number.isSafeInteger(size) && size >= 0 && size <= LARGEST;
    const open = this.list.filter(({ state }) => state === "offered").length;
    if (!fine || open >= MOST) return;
    this.add({ node, room, mine: false, name: cleanName(name), size, state: "offered" });
    this.store.conversation(node).time ||= Date.now();
    this.together.news?.("file.news", { name: this.store.people.nameOf(node) });
    this.together.changed();
  }

  // --- time

  look(now) {
    for (const one of [...this.list]) {
      const { state, heard, said } = one;
      const due = now - said >= AGAIN_MS && one.room;
      if (state === "offered" && now - heard > (one.again ? FORGET_MS : WAITING_MS)) this.drop(one);
      else if (MOVING.has(state) && now - heard > STALL_MS) this.fail(one, "stalled");
      else if (state === "offering" && due) this.ask(one);
      else if (state === "receiving" && due && !one.moved) this.say(one, "take", { by: one.key });
      else if (state === "checking" && due && one.repeats++ >= REPEATS) this.settle(one, "done");
      else if (state === "checking" && due) this.say(one, "done", { sha256: one.sha256 });
    }
  }
}
