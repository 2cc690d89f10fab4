// How others are, and how we appear to our friends. Nothing of it is stored anywhere: who
// comes says so and asks the others, who answer; the node tells when somebody has gone.
import { TYPE } from "./wire.js";

const PLEASE = 1; // subStatus: this is how I am, and how are you?
const ANSWER = 2; // subStatus: how I am, as asked
const NEW_PROFILE = 3; // subStatus: my profile has changed
const NOT_OFFERED = 4107;

// `show` of a presence; HIDDEN says to friends who saw us that there is nobody to see.
export const SHOW = Object.freeze({ HERE: 1, AWAY: 2, BUSY: 4, HIDDEN: 5 });
const NAMES = { 1: "here", 2: "away", 3: "away", 4: "busy" };
export const LONGEST_STATUS = 120; // characters

export class Presence {
  constructor(store, link) {
    this.store = store;
    this.link = link;
    this.others = new Map(); // node: {show, status}, of those who are here
    this.shown = false; // whether friends were told since the connection is up
    this.offered = true; // whether this node passes presence on
    this.refusal = 0;
    // Windows of one browser appear alike, whichever of them it was set in.
    window.addEventListener("storage", ({ key }) => {
      if (this.store.me && key === this.key) this.adopt(true);
    });
  }

  get key() {
    return "timtw.presence." + this.store.me;
  }

  // Takes over what another window has set.
  adopt(tells) {
    const set = localStorage.getItem(this.key);
    if (!set || set === JSON.stringify(this.store.state.presence)) return;
    this.store.state.presence = JSON.parse(set);
    this.store.commit();
    if (tells) this.announce();
  }

  // The connection is up and the log is read.
  begin() {
    this.offered = true;
    this.adopt(false);
    if (this.store.state.presence.show !== SHOW.HIDDEN) this.tell(TYPE.BROADCAST, { subStatus: PLEASE });
  }

  // The connection is gone: nobody tells us how anybody is.
  lost() {
    this.shown = false;
    this.others.clear();
  }

  // "here", "away", "busy" or "hidden".
  get mine() {
    return NAMES[this.store.state.presence.show] ?? "hidden";
  }

  // Appear so from now on; without a connection, from the next one on.
  set(show, status) {
    this.refusal = 0;
    this.store.state.presence = { show, status };
    this.store.commit();
    try {
      localStorage.setItem(this.key, JSON.stringify({ show, status }));
    } catch {
      this.store.slot.full = true; // the other windows do not hear of it
    }
    this.announce();
  }

  announce() {
    const hidden = this.store.state.presence.show === SHOW.HIDDEN;
    if (!hidden || this.shown) this.tell(TYPE.BROADCAST, hidden ? {} : { subStatus: PLEASE });
  }

  // Friends who see us read our profile again.
  profileChanged() {
    if (this.shown) this.tell(TYPE.BROADCAST, { subStatus: NEW_PROFILE });
  }

  // Logged out: nothing stays.
  forget() {
    localStorage.removeItem(this.key);
  }

  // A friend that is new: both want to know.
  greet(node) {
    if (this.store.state.presence.show === SHOW.HIDDEN) return;
    this.tell(TYPE.PRESENCE, { toTid: { node }, subStatus: PLEASE });
  }

  tell(type, more) {
    const { show, status } = this.store.state.presence;
    const hidden = show === SHOW.HIDDEN;
    this.shown = !hidden;
    if (this.offered) this.link.send(type, { ...more, show, status: hidden ? "" : status });
  }

  received({ fromTid, offline, subStatus, show, status }) {
    const node = fromTid?.node;
    if (node === this.store.me && offline) this.announce(); // told that we are gone
    if (!node || node === this.store.me) return;
    if (offline || show === SHOW.HIDDEN) this.others.delete(node);
    else this.others.set(node, { show, status: (status ?? "").slice(0, LONGEST_STATUS) });
    if (subStatus === NEW_PROFILE) this.store.profileChanged?.(node);
    const visible = this.store.state.presence.show !== SHOW.HIDDEN;
    if (subStatus === PLEASE && !offline && visible) {
      this.tell(TYPE.PRESENCE, { toTid: { node }, subStatus: ANSWER });
    }
    this.store.notify();
  }

  refused(code) {
    if (code === NOT_OFFERED) this.offered = false;
    this.refusal = code;
    this.store.notify();
  }

  // "here", "away", "busy", or null for somebody of whom we know nothing.
  of(node) {
    if (this.store.people.standing(node) !== "friend") return null;
    const seen = this.others.get(node);
    return seen ? NAMES[seen.show] ?? "here" : null;
  }

  statusOf(node) {
    return this.of(node) ? this.others.get(node).status : "";
  }
}
