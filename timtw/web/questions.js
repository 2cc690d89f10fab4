// What the page asks the node, and the answers. Answers do not name their question, so
// there is one question at a time for each kind of answer.
import { Lane, Refused } from "./requests.js";
import {
  BURNT, CHANGE_ROOM, CIRCLE, FIND, OWN_PROFILE, PROFILES, REVOKED, ROOM, ROOM_PROFILES, TYPE,
} from "./wire.js";

const OF_ACCOUNT = 1; // rtypes of history
const OF_ROOM = 2;
// The ntype of the answer to a list, where it is not the rtype of the question.
const ANSWERS = { [FIND]: PROFILES, [CIRCLE.BLOCKED]: 8, [ROOM.BLOCKED]: 9, [ROOM.BARRED]: 10 };
const PROFILES_AT_ONCE = 100;

export class Questions {
  constructor(store, link) {
    this.store = store;
    const stuck = () => link.drop();
    const lane = () => new Lane(([type, body]) => link.send(type, body), stuck);
    this.nodes = lane();
    this.pages = lane();
    this.removals = lane();
  }

  // The connection is gone.
  lost() {
    this.nodes.fail();
    this.pages.fail();
    this.removals.fail();
  }

  // A TimAck; nothing happens if it answers no question.
  answered(ok, timType, ack) {
    const lane = this.laneOf(timType);
    if (!lane || (ok && lane === this.pages)) return;
    const { mid } = this.removals.asked?.question[1] ?? {};
    if (ok && lane === this.removals && ack.t2 !== mid) return; // of another device, in a group
    if (ok) lane.answer(ack);
    else lane.refuse(ack.error?.code ?? 0);
  }

  // A 42 frame. A very long list comes in several, of which the first is enough here.
  listed(body) {
    const [type, { rtype, ntype }] = this.nodes.asked?.question ?? [0, {}];
    const wanted = type === TYPE.BUSINESS ? ANSWERS[rtype] ?? rtype : ntype;
    if (body?.ntype === wanted) this.nodes.answer(body);
  }

  laneOf(timType) {
    if (timType === TYPE.HISTORY) return this.pages;
    if (timType === TYPE.NODES || timType === TYPE.BUSINESS) return this.nodes;
    if (timType === TYPE.REVOKE || timType === TYPE.BURN) return this.removals;
    return null;
  }

  history(node, from, count) {
    const rtype = this.store.groups.isRoom(node) ? OF_ROOM : OF_ACCOUNT;
    const body = { rtype, node, reqInt: from, reqInt2: count };
    return this.pages.ask([TYPE.HISTORY, body]).then((messages) => {
      this.store.messages.takeHistory(node, messages);
    });
  }

  // Takes a text away for both sides: an own one back, or one that was received.
  remove(node, mid, mine) {
    const body = { ...this.store.groups.address(node), odType: mine ? REVOKED : BURNT, mid };
    return this.removals.ask([mine ? TYPE.REVOKE : TYPE.BURN, body]);
  }

  business(body) {
    return this.nodes.ask([TYPE.BUSINESS, body]);
  }

  // The nodes that a business request lists.
  async list(rtype, node) {
    return (await this.business({ rtype, node })).nodelist ?? [];
  }

  // What groups tell about themselves, by node.
  async roomProfiles(nodes) {
    const found = {};
    for (let start = 0; start < nodes.length; start += PROFILES_AT_ONCE) {
      const nodelist = nodes.slice(start, start + PROFILES_AT_ONCE);
      const { roommap } = await this.nodes.ask([TYPE.NODES, { ntype: ROOM_PROFILES, nodelist }]);
      Object.assign(found, roommap);
    }
    return found;
  }

  changeRoom(node, bean) {
    return this.nodes.ask([TYPE.NODES, { ntype: CHANGE_ROOM, roommap: { [node]: bean } }]);
  }

  // The node of the account with exactly this name, or null.
  async find(login) {
    const { usermap = {} } = await this.business({ rtype: FIND, reqStr: login });
    const [node] = Object.keys(usermap);
    if (!node) return null;
    this.store.people.person(node).login = login;
    this.store.people.setProfiles(usermap);
    return node;
  }

  // Changes what we tell about ourselves; what is left out stays.
  async setProfile(bean) {
    await this.nodes.ask([TYPE.NODES, { ntype: OWN_PROFILE, usermap: { "": bean } }]);
    const { me, people } = this.store;
    people.setProfiles({ [me]: { ...people.beans.get(me), ...bean } });
  }

  async askNames(nodes) {
    for (let start = 0; start < nodes.length; start += PROFILES_AT_ONCE) {
      const nodelist = nodes.slice(start, start + PROFILES_AT_ONCE);
      const { usermap } = await this.nodes.ask([TYPE.NODES, { ntype: PROFILES, nodelist }]);
      this.store.people.setProfiles(usermap);
    }
  }

  // Names are a convenience: what fails now is asked again after the next login.
  refreshNames() {
    const nodes = new Set([this.store.me, ...this.store.people.known()]);
    this.askNames([...nodes]).catch(ignoreRefusal);
  }

  // Profiles of people who were never heard of before.
  askUnknown() {
    const unknown = this.store.people.unknown();
    for (const node of unknown) this.store.people.person(node).name = "";
    if (unknown.length) this.askNames(unknown).catch(ignoreRefusal);
  }
}

export function ignoreRefusal(error) {
  if (!(error instanceof Refused)) throw error;
}
