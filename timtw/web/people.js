// Whom this account knows: how they are called, and what they are to it.
import { TOLD } from "./wire.js";

const TEXT_CHARACTERS = 1024; // of a request that are kept

export class People {
  constructor(store) {
    this.store = store;
    this.beans = new Map(); // node: what an account tells about itself, as read last
    // Whether strangers may write to each other here: the node says so in the page.
    this.openToAll =
      document.querySelector('meta[name="timtw-strangers"]')?.content === "write";
  }

  person(node) {
    return (this.store.state.people[node] ??= {});
  }

  nameOf(node) {
    const { name, login } = this.store.state.people[node] ?? {};
    return name || login || node;
  }

  setProfiles(usermap) {
    for (const [node, bean] of Object.entries(usermap ?? {})) {
      this.person(node).name = bean?.name ?? "";
      this.beans.set(node, bean ?? {});
    }
    this.store.commit();
  }

  nameKnown(node) {
    return this.store.state.people[node]?.name !== undefined;
  }

  // Those we write to, and those who are something to us.
  known() {
    const { conversations, standings } = this.store.state;
    const alone = Object.keys(conversations).filter((node) => !conversations[node].room);
    return [...new Set([...alone, ...Object.keys(standings)])];
  }

  // Those who can be seen somewhere on the page and whose names were never asked for.
  unknown() {
    const seen = [...this.known(), ...Object.keys(this.store.state.people)];
    return [...new Set(seen)].filter((node) => !this.nameKnown(node));
  }

  // "friend", "asking" (has asked us), "asked" (by us), "blocked" or "stranger".
  standing(node) {
    return this.store.state.standings[node] ?? "stranger";
  }

  // The nodes with a standing, by name.
  all(standing) {
    const nodes = Object.keys(this.store.state.standings);
    return nodes
      .filter((node) => this.standing(node) === standing)
      .sort((a, b) => this.nameOf(a).localeCompare(this.nameOf(b)));
  }

  // The last word of the node.
  setStandings(standings) {
    const { state } = this.store;
    for (const [node, standing] of Object.entries(standings)) {
      const entry = state.conversations[node];
      if (entry && standing !== this.standing(node)) entry.refused = false;
    }
    state.standings = standings;
    for (const node of Object.keys(state.requests)) {
      if (standings[node] !== "asking") delete state.requests[node];
    }
    this.store.commit();
  }

  // A notice of the log. It says what was true when it was sent; what is true now, the
  // lists of the node say later.
  takeNotice(peer, mine, { bnType, dataString, timestamp, seq }) {
    const { state } = this.store;
    const time = Math.round((timestamp ?? 0) / 1e6);
    if (bnType === TOLD.REQUEST && !mine) {
      state.standings[peer] = "asking";
      state.requests[peer] = { text: (dataString ?? "").slice(0, TEXT_CHARACTERS), time };
    } else if (bnType === TOLD.FRIENDS) {
      if (this.standing(peer) !== "friend") this.befriended(peer, time);
      state.standings[peer] = "friend";
    } else if (bnType === TOLD.ENDED && !mine) {
      delete state.standings[peer];
    }
    if (!(seq <= state.oldSeq)) this.store.told?.(bnType, mine, peer);
  }

  // A new friend stands among the conversations.
  befriended(node, time) {
    const entry = this.store.conversation(node);
    entry.time = Math.max(entry.time, time);
    entry.met = true;
  }

  // Whether it is worth trying to write to this account.
  mayWrite(node) {
    const standing = this.standing(node);
    if (standing === "friend") return true;
    const { refused } = this.store.state.conversations[node] ?? {};
    if (standing === "blocked" || refused) return false;
    return this.openToAll || Boolean(this.store.groups.meetingPlace(node));
  }
}
