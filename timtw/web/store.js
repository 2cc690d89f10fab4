// What the page knows: the device, people, conversations, unsent texts. The part that must
// survive a reload is one JSON value in the tab's slot, written before anything that
// depends on it goes out (an acknowledgement, a text). Messages themselves stay in memory
// and come from the node's history again.
import { visible } from "./dom.js";
import { Groups } from "./groups.js";
import { Messages } from "./messages.js";
import { People } from "./people.js";
import { freshState, newConversation } from "./state.js";
import { newId } from "./wire.js";

const FRESH_ENTRIES = 1000; // entries of the log from which a new device rebuilds its list

export class Store {
  constructor(slot) {
    this.slot = slot;
    this.state = { ...freshState(), ...slot.load() };
    this.people = new People(this);
    this.groups = new Groups(this);
    this.messages = new Messages(this);
    this.listeners = new Set();
    this.news = null; // called with (peer, text) when somebody else's new text arrived
    this.toldOfRoom = null; // called with (bnType, room, from)
    this.profileChanged = null; // called with (node)
    this.told = null; // called with (bnType, mine, peer) when a notice arrived
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
      this.messages.clear();
    } else if (state.seq > head) {
      for (const entry of Object.values(state.conversations)) entry.top = entry.counted = 0;
      this.startFrom(head); // the node's data are younger than ours
      this.messages.clear();
    }
    this.state.account = { node, login: login ?? state.account?.login ?? "" };
    this.state.ended = null;
    this.people.person(node).login = this.state.account.login;
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
    this.messages.clear();
    this.commit();
  }

  // --- conversations

  conversation(node) {
    return (this.state.conversations[node] ??= newConversation());
  }

  open(node) {
    const before = this.state.open;
    if (before && before !== node) this.messages.trim(before);
    this.state.open = node;
    if (node) {
      const entry = this.conversation(node);
      entry.room ||= this.groups.isRoom(node);
      entry.time ||= Date.now();
      if (visible()) entry.unread = 0;
    }
    this.commit();
  }

  // Opens the conversation with somebody whom we have met in a group.
  meet(node, room) {
    Object.assign(this.conversation(node), { within: room, refused: false });
    this.open(node);
  }

  // What is on the screen is read.
  seen() {
    const entry = this.state.open && this.conversation(this.state.open);
    if (!entry?.unread || !visible()) return;
    entry.unread = 0;
    this.commit();
  }

  // How the other side of a conversation is called, an account or a group.
  titleOf(node) {
    return this.groups.isRoom(node) ? this.groups.nameOf(node) : this.people.nameOf(node);
  }

  // Whether it is worth trying to write there.
  mayWrite(node) {
    return this.groups.isRoom(node) ? this.groups.isMine(node) : this.people.mayWrite(node);
  }

  setDraft(node, text) {
    this.conversation(node).draft = text;
    this.slot.save(this.state);
  }

  // What waits for somebody to look: texts and requests.
  totalUnread() {
    return this.people.all("asking").length + this.groups.waiting() + this.unreadTexts();
  }

  unreadTexts() {
    return Object.values(this.state.conversations).reduce((sum, { unread }) => sum + unread, 0);
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
