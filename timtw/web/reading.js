// How far conversations are read, on all devices of an account, and by the other side; in a
// group on the own devices only. What somebody has on the screen is read; the node keeps it
// and tells it.
import { visible } from "./dom.js";
import { ignoreRefusal } from "./questions.js";
import { MARKS, READ, TYPE } from "./wire.js";

const GATHER_MS = 300; // texts that come one behind the other are one mark

export class Reading {
  constructor(store, link, questions, live) {
    this.store = store;
    this.link = link;
    this.questions = questions;
    this.live = live;
    this.timer = 0;
    this.node = null; // what was seen and is not told yet
    this.mid = 0;
    store.subscribe(() => this.look());
    document.addEventListener("visibilitychange", () => this.look());
  }

  // The log is read: what other devices have read meanwhile.
  async begin() {
    try {
      let node;
      do node = (await this.questions.business({ rtype: MARKS, node })).n;
      while (node);
    } catch (error) {
      ignoreRefusal(error);
    }
    this.look();
  }

  // What is on the screen now is told a moment later, also if it is left meanwhile.
  look() {
    const node = this.store.state.open;
    const { groups, state } = this.store;
    const entry = node && state.conversations[node];
    if (!entry || !(entry.top > (entry.read ?? 0)) || !visible() || !this.live()) return;
    if (groups.isRoom(node) && !groups.isMine(node)) return;
    if (this.node && this.node !== node) this.tell();
    this.node = node;
    this.mid = entry.top;
    this.timer ||= setTimeout(() => this.tell(), GATHER_MS);
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = 0;
    const { node, mid } = this;
    this.node = null;
    const mark = { ...this.store.groups.address(node), odType: READ, mid };
    if (!node || !this.live() || !this.link.send(TYPE.MESSAGE, mark)) return;
    const entry = this.store.conversation(node);
    entry.read = Math.max(entry.read ?? 0, mid);
    this.store.commit();
  }
}
