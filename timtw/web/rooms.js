// Groups: those we are in, what they tell about themselves, and what we can do there. The
// node knows all of it; what is kept here is its last word.
import { ignoreRefusal } from "./questions.js";
import { Refreshing } from "./refreshing.js";
import { OPEN, PRIVATE, ROOM, ROOM_NEWS } from "./wire.js";

const NOT_OFFERED = 4107;
const ROLES = ["founder", "manager", "member"];
export const MOST_SHOWN = 200; // people of a group that are listed
const QUIET_MS = 5000; // between two looks because of changes
const LATEST = 30; // groups without a known text of which the last one is asked for

export class Rooms extends Refreshing {
  constructor(store, questions) {
    super();
    this.store = store;
    this.questions = questions;
    this.offered = true; // whether this node has groups
    this.members = new Map(); // room: nodes, as far as somebody looked
    this.barred = new Map(); // room: nodes, for founder and managers
    this.shown = null; // the group about which everything is on the screen
    this.looked = 0; // when we looked because of a change
    this.timer = null;
  }

  refused(error) {
    if (error.code === NOT_OFFERED) this.offered = false;
  }

  async read() {
    const mine = await this.questions.list(ROOM.MINE);
    const blocked = await this.questions.list(ROOM.BLOCKED);
    this.offered = true;
    this.store.groups.setMine(mine, blocked);
    await this.tell([...mine, ...blocked]);
    await this.latest(mine);
  }

  // What groups tell about themselves.
  async tell(nodes) {
    const beans = await this.questions.roomProfiles(nodes);
    this.store.groups.setProfiles(beans);
  }

  // The last text of groups that were joined on another device.
  async latest(nodes) {
    const { conversations } = this.store.state;
    const silent = nodes.filter((node) => !conversations[node]?.top).slice(0, LATEST);
    try {
      for (const node of silent) await this.questions.history(node, 0, 1);
    } catch (error) {
      ignoreRefusal(error); // it comes when somebody opens the group
    }
  }

  // Members, and who is barred if we may know.
  async look(node) {
    await this.tell([node]);
    this.members.set(node, await this.questions.list(ROOM.MEMBERS, node));
    if (this.store.groups.role(node) !== "member") {
      this.barred.set(node, await this.questions.list(ROOM.BARRED, node));
    }
    const people = [...this.first(node), ...(this.barred.get(node) ?? []).slice(0, MOST_SHOWN)];
    const unknown = people.filter((one) => !this.store.people.nameKnown(one));
    if (unknown.length) await this.questions.askNames(unknown);
    this.store.notify();
  }

  // The members that are shown: founder and managers, then others, as many as one reads.
  first(node) {
    const key = (one) => ROLES.indexOf(this.store.groups.role(node, one));
    const members = [...(this.members.get(node) ?? [])].sort((a, b) => key(a) - key(b));
    return members.slice(0, MOST_SHOWN);
  }

  // Makes a group; returns its node.
  async create(topic, isPrivate) {
    const reqInt = isPrivate ? PRIVATE : OPEN;
    const { n } = await this.questions.business({ rtype: ROOM.CREATE, node: topic, reqInt });
    await this.refresh();
    return n;
  }

  // Into an open group at once; a private one is asked.
  async join(node, words) {
    await this.questions.business({ rtype: ROOM.JOIN, node, reqStr: words });
    this.store.groups.asked(node);
    await this.tell([node]);
    await this.refresh();
  }

  // `step` is one of ROOM; `other` is the account it is about, if it is about another.
  async step(step, node, other, words) {
    try {
      await this.questions.business({ rtype: ROOM[step], node, node2: other, reqStr: words });
      if (other) this.store.groups.settled(node, other);
    } finally {
      await this.refresh();
      if (this.store.groups.isMine(node)) await this.look(node).catch(ignoreRefusal);
    }
  }

  async change(node, bean) {
    await this.questions.changeRoom(node, bean);
    await this.look(node);
  }

  news(bnType, node) {
    if (Object.values(ROOM_NEWS).includes(bnType)) this.lookAgain(node);
  }

  // Somebody came or went, or something else has changed, maybe by another window of ours. In a
  // group in which much happens we look now and then.
  changed(node) {
    const wait = Math.max(0, this.looked + QUIET_MS - Date.now());
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.looked = Date.now();
      this.lookAgain(this.shown ?? node);
    }, wait);
  }

  // Who is in a group is asked for if somebody sees it.
  async lookAgain(node) {
    try {
      await this.refresh();
      const seen = this.shown === node && this.store.state.open === node;
      if (seen && this.store.groups.isMine(node)) await this.look(node);
    } catch (error) {
      ignoreRefusal(error);
    }
  }
}
