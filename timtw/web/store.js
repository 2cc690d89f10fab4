// What the page knows: the device, people, conversations, unsent texts. The part that must
// survive a reload is one JSON value in the tab's slot, written before anything that
// depends on it goes out (an acknowledgement, a text). Messages themselves stay in memory
// and come from the node's history again.
import { freshState, newConversation } from "./state.js";
import { BURNT, DELIVERED, newId, REVOKED, TEXT, TO_USER } from "./wire.js";

const FRESH_ENTRIES = 1000; // entries of the log from which a new device rebuilds its list
const PREVIEW_CHARACTERS = 140;
const KEPT_MESSAGES = 200; // of a conversation that is not open

export class Store {
  constructor(slot) {
    this.slot = slot;
    this.state = { ...freshState(), ...slot.load() };
    this.threads = new Map(); // node: {messages by mid, complete}
    this.listeners = new Set();
    this.news = null; // called with (peer, text) when somebody else's new text arrived
    this.notifying = false;
  }

  get me() {
    return this.state.account?.node ?? null;
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // Everything that changes the state ends here: stored first, then shown.
  commit() {
    this.slot.save(this.state);
    this.notify();
  }

  notify() {
    if (this.notifying) return;
    this.notifying = true;
    queueMicrotask(() => {
      this.notifying = false;
      for (const listener of [...this.listeners]) listener();
    });
  }

  // --- the login

  loggedIn(node, login, head) {
    const state = this.state;
    if (this.me !== node) {
      this.state = { ...freshState(), resource: state.resource };
      this.startFrom(head);
      this.threads.clear();
    } else if (state.seq > head) {
      for (const entry of Object.values(state.conversations)) entry.top = entry.counted = 0;
      this.startFrom(head); // the node's data are younger than ours
      this.threads.clear();
    }
    this.state.account = { node, login: login ?? state.account?.login ?? "" };
    this.state.ended = null;
    this.person(node).login = this.state.account.login;
    this.commit();
  }

  startFrom(head) {
    this.state.seq = Math.max(0, head - FRESH_ENTRIES);
    this.state.oldSeq = head;
  }

  setCredential(credential) {
    this.state.credential = credential;
    this.commit();
  }

  // The login is over without the user's wish; texts and drafts stay for the next one.
  end(reason) {
    this.state.credential = null;
    this.state.ended = reason;
    this.commit();
  }

  // The user logged out: nothing stays.
  forget() {
    this.state = freshState();
    this.threads.clear();
    this.commit();
  }

  // --- people

  person(node) {
    return (this.state.people[node] ??= {});
  }

  nameOf(node) {
    const { name, login } = this.state.people[node] ?? {};
    return name || login || node;
  }

  setProfiles(usermap) {
    for (const [node, bean] of Object.entries(usermap ?? {})) {
      this.person(node).name = bean?.name ?? "";
    }
    this.commit();
  }

  // --- conversations

  conversation(node) {
    return (this.state.conversations[node] ??= newConversation());
  }

  thread(node) {
    if (!this.threads.has(node)) this.threads.set(node, { messages: new Map(), complete: false });
    return this.threads.get(node);
  }

  sorted(node) {
    return [...this.thread(node).messages.values()].sort((a, b) => a.mid - b.mid);
  }

  open(node) {
    const before = this.state.open;
    if (before && before !== node) this.trim(before);
    this.state.open = node;
    if (node) {
      const entry = this.conversation(node);
      entry.time ||= Date.now();
      if (visible()) entry.unread = 0;
    }
    this.commit();
  }

  // What is on the screen is read.
  seen() {
    const entry = this.state.open && this.conversation(this.state.open);
    if (!entry?.unread || !visible()) return;
    entry.unread = 0;
    this.commit();
  }

  setDraft(node, text) {
    this.conversation(node).draft = text;
    this.slot.save(this.state);
  }

  totalUnread() {
    return Object.values(this.state.conversations).reduce((sum, { unread }) => sum + unread, 0);
  }

  // --- messages

  // Entries of the log, of a page or live. `advance` is false for repeats that come before
  // the pages were read: they tell nothing about what lies before them.
  takeEntries(messages, advance) {
    for (const message of messages) {
      this.takeOne(message, true);
      if (advance && message?.seq > this.state.seq) this.state.seq = message.seq;
    }
    this.commit();
  }

  // An answer may hold fewer texts than were asked for; one that brings nothing new says
  // that there is nothing older.
  takeHistory(node, messages) {
    const thread = this.thread(node);
    const before = thread.messages.size;
    for (const message of messages) this.takeOne(message, false);
    if (thread.messages.size === before || thread.messages.has(1)) thread.complete = true;
    this.commit();
  }

  takeOne(message, fromLog) {
    const from = message?.fromTid?.node;
    const to = message?.toTid?.node;
    if (!from || !to || message.msType !== TO_USER || message.roomTid || !(message.mid > 0)) return;
    const mine = from === this.me;
    const peer = mine ? to : from;
    const entry = this.conversation(peer);
    if (message.odType === DELIVERED) {
      if (!mine) entry.delivered = Math.max(entry.delivered, message.mid);
    } else if (message.odType === TEXT) {
      this.takeText(peer, entry, mine, message, fromLog);
    } else if (message.odType === REVOKED || message.odType === BURNT) {
      this.takeBack(peer, entry, message.mid);
    }
  }

  // The text is gone for everybody, here as well.
  takeBack(peer, entry, mid) {
    const { messages } = this.thread(peer);
    if (messages.get(mid)?.mine === false && mid > entry.counted - entry.unread) entry.unread -= 1;
    messages.delete(mid);
    if (mid !== entry.top) return;
    const last = this.sorted(peer).at(-1);
    entry.preview = last ? cut(last.text, last.mine) : null;
  }

  takeText(peer, entry, mine, { id, mid, dataString, timestamp, seq }, fromLog) {
    const { state } = this;
    const text = dataString ?? null;
    const time = Math.round((timestamp ?? 0) / 1e6); // nanoseconds become milliseconds
    const own = mine && state.outbox.some((waiting) => waiting.id === id);
    if (own) state.outbox = state.outbox.filter((waiting) => waiting.id !== id);
    this.thread(peer).messages.set(mid, { id, mid, mine, text, time });
    if (mid >= entry.top) {
      Object.assign(entry, { top: mid, time, preview: cut(text, mine) });
    }
    if (state.open !== peer) this.trim(peer);
    if (!fromLog || mid <= entry.counted) return;
    entry.counted = mid;
    if (mine) {
      if (!own) entry.unread = 0; // answered from another device: read there
    } else if (!(seq <= state.oldSeq)) {
      if (state.open !== peer || !visible()) entry.unread += 1;
      this.news?.(peer, text);
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

  // --- unsent texts

  write(peer, text) {
    const entry = this.conversation(peer);
    const waiting = { id: newId(), peer, text, time: Date.now(), state: "sending", code: null };
    this.state.outbox.push(waiting);
    entry.draft = "";
    entry.time = waiting.time;
    this.commit();
    return waiting;
  }

  waiting(id) {
    return this.state.outbox.find((waiting) => waiting.id === id);
  }

  setWaiting(id, state, code = null) {
    const waiting = this.waiting(id);
    if (!waiting) return;
    Object.assign(waiting, { state, code });
    this.commit();
  }

  discard(id) {
    this.state.outbox = this.state.outbox.filter((waiting) => waiting.id !== id);
    this.commit();
  }
}

function cut(text, mine) {
  return { mine, text: text === null ? null : text.slice(0, PREVIEW_CHARACTERS) };
}

function visible() {
  return document.visibilityState === "visible";
}
