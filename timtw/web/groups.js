// What is known of groups, as a part of the state that survives a reload.
import { PRIVATE, ROOM_NEWS, TO_ROOM, TO_USER } from "./wire.js";

export class Groups {
  constructor(store) {
    this.store = store;
  }

  get known() {
    return this.store.state.rooms;
  }

  isRoom(node) {
    return Boolean(this.known[node] ?? this.store.state.conversations[node]?.room);
  }

  // How a message is addressed to a group, or to an account.
  address(node) {
    return this.isRoom(node)
      ? { msType: TO_ROOM, roomTid: { node } }
      : { msType: TO_USER, toTid: { node } };
  }

  // How a text to somebody who is no friend is addressed: within the group where we met.
  destination(node) {
    const room = this.meetingPlace(node);
    const address = this.address(node);
    return room ? { ...address, roomTid: { node: room } } : address;
  }

  // The group in which we have met somebody who is no friend, or null.
  meetingPlace(node) {
    const room = this.store.state.conversations[node]?.within;
    return room && this.isMine(room) && this.store.people.standing(node) !== "friend" ? room : null;
  }

  isMine(node) {
    return Boolean(this.known[node]?.mine);
  }

  isPrivate(node) {
    return this.known[node]?.gtype === PRIVATE;
  }

  nameOf(node) {
    return this.known[node]?.topic || node;
  }

  // "founder", "manager", "member", or null for a group that we are not in.
  role(node, account = this.store.me) {
    const room = this.known[node];
    if (!room?.mine) return null;
    if (room.founder === account) return "founder";
    return (room.managers ?? []).includes(account) ? "manager" : "member";
  }

  administrates(node) {
    return ["founder", "manager"].includes(this.role(node));
  }

  all(kind) {
    return Object.keys(this.known)
      .filter((node) => this.known[node][kind])
      .sort((a, b) => this.nameOf(a).localeCompare(this.nameOf(b)));
  }

  setMine(mine, blocked) {
    const { state } = this.store;
    for (const room of Object.values(state.rooms)) Object.assign(room, { mine: false, blocked: false });
    for (const node of mine) Object.assign(this.room(node), { mine: true, asked: false });
    for (const node of blocked) Object.assign(this.room(node), { blocked: true, asked: false });
    for (const [node, room] of Object.entries(state.rooms)) {
      if (room.mine) this.store.conversation(node).room = true;
      else room.requests = {};
      if (!room.mine && !room.blocked && !room.asked && !state.conversations[node]) delete state.rooms[node];
    }
    this.store.commit();
  }

  setProfiles(beans) {
    for (const [node, { topic, label, founder, managers, gtype }] of Object.entries(beans)) {
      Object.assign(this.room(node), { topic, label, founder, managers: managers ?? [], gtype });
    }
    this.store.commit();
  }

  room(node) {
    return (this.store.state.rooms[node] ??= { requests: {} });
  }

  // We have asked to be let into a private group.
  asked(node) {
    this.room(node).asked = true;
    this.store.commit();
  }

  requests(node) {
    return Object.entries(this.known[node]?.requests ?? {});
  }

  waiting() {
    return this.all("mine").reduce((sum, node) => sum + this.requests(node).length, 0);
  }

  // An account's request to be let in has an answer.
  settled(node, account) {
    delete this.room(node).requests[account];
    this.store.commit();
  }

  // A notice of the log about a group.
  takeNotice(node, { bnType, fromTid, dataString, timestamp, seq }) {
    const room = this.room(node);
    const time = Math.round((timestamp ?? 0) / 1e6);
    const from = fromTid?.node;
    if (bnType === ROOM_NEWS.REQUEST && from) {
      room.requests[from] = { text: dataString ?? "", time };
      this.store.people.person(from);
    } else if (bnType === ROOM_NEWS.IN || bnType === ROOM_NEWS.PULLED_IN) {
      Object.assign(room, { mine: true, asked: false });
      const entry = this.store.conversation(node);
      Object.assign(entry, { room: true, met: true, time: Math.max(entry.time, time) });
    } else if (bnType === ROOM_NEWS.REJECTED) {
      Object.assign(room, { asked: false, rejected: dataString ?? "" });
    } else if (bnType === ROOM_NEWS.REMOVED) {
      Object.assign(room, { mine: false, asked: false });
    }
    if (!(seq <= this.store.state.oldSeq)) this.store.toldOfRoom?.(bnType, node, from);
  }
}
