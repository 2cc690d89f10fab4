// The messages of all conversations, as far as they are here: they come from the log, as
// pages of history and live, and each is taken once.
import { visible } from "./dom.js";
import { BURNT, DELIVERED, NOTICE, READ, REVOKED, TEXT, TO_ROOM, TO_USER } from "./wire.js";

const PREVIEW_CHARACTERS = 140;
const KEPT_MESSAGES = 200; // of a conversation that is not open

export class Messages {
  constructor(store) {
    this.store = store;
    this.threads = new Map(); // node: {messages by mid, complete}
  }

  clear() {
    this.threads.clear();
  }

  thread(node) {
    if (!this.threads.has(node)) this.threads.set(node, { messages: new Map(), complete: false });
    return this.threads.get(node);
  }

  sorted(node) {
    return [...this.thread(node).messages.values()].sort((a, b) => a.mid - b.mid);
  }

  // Entries of the log, of a page or live. `advance` is false for repeats that come before
  // the pages were read: they tell nothing about what lies before them.
  takeEntries(messages, advance) {
    for (const message of messages) {
      this.takeOne(message, true);
      const own = message?.msType !== TO_ROOM; // groups have logs and numbers of their own
      if (advance && own && message?.seq > this.store.state.seq) this.store.state.seq = message.seq;
    }
    this.store.commit();
  }

  // An answer may hold fewer texts than were asked for; one that brings nothing new says
  // that there is nothing older.
  takeHistory(node, messages) {
    const thread = this.thread(node);
    const before = thread.messages.size;
    for (const message of messages) this.takeOne(message, false);
    if (thread.messages.size === before || thread.messages.has(1)) thread.complete = true;
    this.store.commit();
  }

  takeOne(message, fromLog) {
    const from = message?.fromTid?.node;
    const mine = from === this.store.me;
    const room = message?.roomTid?.node;
    const toRoom = message?.msType === TO_ROOM;
    const peer = toRoom ? room : mine ? message?.toTid?.node : from;
    if (message?.odType === NOTICE) {
      if (fromLog && room) this.store.groups.takeNotice(room, message);
      else if (fromLog && peer) this.store.people.takeNotice(peer, mine, message);
      return;
    }
    if (!from || !peer || !(toRoom || message.msType === TO_USER)) return;
    const isRead = message.odType === READ; // its mid may be 0: nothing of the group is read
    if (!(message.mid > 0 || isRead)) return;
    const entry = this.store.conversation(peer);
    entry.room ||= toRoom;
    if (!toRoom && room) entry.within = room;
    if (isRead) {
      this.takeRead(entry, mine, message);
    } else if (message.odType === DELIVERED) {
      if (!mine) entry.delivered = Math.max(entry.delivered, message.mid);
    } else if (message.odType === TEXT) {
      this.takeText(peer, entry, mine, message, fromLog);
    } else if (message.odType === REVOKED || message.odType === BURNT) {
      this.takeBack(peer, entry, message.mid);
    }
  }

  // How far one of the two has read; `id` is the newest number of the conversation.
  takeRead(entry, mine, { id, mid }) {
    if (!mine) {
      entry.seen = Math.max(entry.seen ?? 0, mid);
      return;
    }
    entry.read = Math.max(entry.read ?? 0, mid ?? 0);
    entry.unread = Math.max(0, Math.max(entry.top, id ?? 0) - entry.read);
    entry.counted = Math.max(entry.counted, id ?? 0);
  }

  // The text is gone for everybody, here as well.
  takeBack(peer, entry, mid) {
    const { messages } = this.thread(peer);
    if (messages.get(mid)?.mine === false && mid > entry.counted - entry.unread) entry.unread -= 1;
    messages.delete(mid);
    if (mid !== entry.top) return;
    const last = this.sorted(peer).at(-1);
    entry.preview = last ? cut(last.text, last.mine, last.from) : null;
  }

  takeText(peer, entry, mine, { id, mid, fromTid, dataString, timestamp, seq }, fromLog) {
    const { state } = this.store;
    const text = dataString ?? null;
    const time = Math.round((timestamp ?? 0) / 1e6); // nanoseconds become milliseconds
    if (entry.room) this.store.people.person(fromTid.node); // so that its name is asked for
    const own = mine && state.outbox.some((waiting) => waiting.id === id);
    if (own) state.outbox = state.outbox.filter((waiting) => waiting.id !== id);
    this.thread(peer).messages.set(mid, { id, mid, mine, from: fromTid.node, text, time });
    if (mid >= entry.top) {
      Object.assign(entry, { top: mid, time, preview: cut(text, mine, fromTid.node) });
    }
    if (state.open !== peer) this.trim(peer);
    if (!fromLog || mid <= entry.counted) return;
    entry.counted = mid;
    if (mine) {
      if (!own) entry.unread = 0; // answered from another device: read there
    } else if (entry.room || !(seq <= state.oldSeq)) {
      if (state.open !== peer || !visible()) entry.unread += 1;
      this.store.news?.(peer, text, fromTid.node);
    }
  }

  // Keeps the newest messages of a conversation that nobody looks at.
  trim(node) {
    const thread = this.thread(node);
    if (thread.messages.size <= 2 * KEPT_MESSAGES) return;
    const kept = this.sorted(node).slice(-KEPT_MESSAGES);
    this.threads.set(node, {
      messages: new Map(kept.map((message) => [message.mid, message])),
      complete: false,
    });
  }
}

function cut(text, mine, from) {
  return { mine, from, text: text === null ? null : text.slice(0, PREVIEW_CHARACTERS) };
}
