// Live rooms: somebody shows and says something to those of a conversation who want to see it,
// and may let others do so as well.
import { Refused } from "../requests.js";
import { Screen } from "./screen.js";
import { isNode, nodesOf } from "./signals.js";

const SAY_MS = 12_000; // between two words that it goes on; who comes later hears of it then
const FORGET_MS = 45_000; // without such a word it does not go on
const MOST_KNOWN = 50; // shows that we hear of at a time
const MOST_HOSTS = 5; // who may show themselves besides the founder
const MOST_VIEWERS = 200; // that are counted and listed

export class Shows {
  constructor(together) {
    this.together = together;
    this.store = together.store;
    this.live = together.live;
    this.known = new Map(); // room: {room, from, node, hosts, heard}, of others
    this.current = null; // the one that we see or show, see begin()
    together.signals.on("live", (signal, about) => this.received(signal, about));
  }

  // What goes on in a conversation and is not on our stage.
  of(node) {
    return [...this.known.values()].filter((one) => one.node === node && one.room !== this.current?.room);
  }

  begin(node, from, room) {
    this.leave();
    this.together.over = null;
    const mine = from === this.store.me;
    this.current = {
      node, from, room, mine, hosts: new Set(), invited: false, capture: null, subscribed: false,
      screens: new Map(), viewers: new Map(), dropped: 0, said: 0, problem: 0,
    };
    return this.current;
  }

  // --- showing

  async start(node) {
    if (this.together.busy) return;
    const show = this.begin(node, this.store.me, null);
    this.perform(show);
    let room;
    try {
      room = await this.live.open(false, () => this.finish(show, "live.gone"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.finish(show, "live.failed", error.code);
      return;
    }
    if (this.current !== show) {
      this.live.close(room);
      return;
    }
    show.room = room;
    this.announce(show);
    this.together.changed();
  }

  perform(show) {
    show.capture = this.together.capture(() => show.room);
    this.together.changed();
  }

  announce(show) {
    show.said = Date.now();
    this.say(show, "on", { hosts: [...show.hosts] });
  }

  say(show, say, more = {}, member = null) {
    this.together.signals.send(show.node, "live", { room: show.room, say, ...more }, { member });
  }

  // Lets a viewer show themselves as well, or no longer.
  async setHost(node, wanted) {
    const show = this.current;
    if (wanted && show.hosts.size >= MOST_HOSTS) return;
    show.problem = 0;
    try {
      await this.live.allow(show.room, node, wanted);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      show.problem = error.code || 5103;
      this.together.changed();
      return;
    }
    if (wanted) show.hosts.add(node);
    else show.hosts.delete(node);
    if (wanted) this.say(show, "cohost", {}, node);
    this.announce(show);
    this.tidy(show);
    this.listen(show).catch(() => {}); // without a line it is done when there is one again
    this.together.changed();
  }

  // --- watching

  async watch(room) {
    const known = this.known.get(room);
    if (!known || this.together.busy) return;
    const show = this.begin(known.node, known.from, room);
    show.hosts = new Set(known.hosts);
    show.invited = show.hosts.has(this.store.me);
    this.say(show, "watch", {}, show.from);
    this.together.changed();
    try {
      await this.listen(show);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.finish(show, "live.failed", error.code);
    }
  }

  // The founder needs to see only who else is there.
  async listen(show) {
    if (show.subscribed || (show.mine && !show.hosts.size)) return;
    show.subscribed = true;
    await this.live.subscribe(show.room, {
      raw: false,
      piece: (bytes, from) => this.piece(show, bytes, from),
      dropped: (count) => {
        show.dropped += count;
        this.store.notify();
      },
      ended: () => this.finish(show, "live.ended"),
    });
  }

  piece(show, bytes, from) {
    if (from === this.store.me || !(from === show.from || show.hosts.has(from))) return;
    if (!show.screens.has(from)) {
      show.screens.set(from, new Screen());
      this.together.changed();
    }
    show.screens.get(from).piece(bytes);
  }

  // Shows us as well, if we may.
  join() {
    const show = this.current;
    if (!show?.invited || show.capture || this.together.calls.current) return;
    this.live.mayPush(show.room, () => this.rest(show));
    this.perform(show);
  }

  rest(show = this.current) {
    show.capture?.stop();
    show.capture = null;
    if (!show.mine) this.live.noMorePushing(show.room);
    this.together.changed();
  }

  // --- the end

  // We leave, or end it if it is ours.
  leave() {
    if (this.current) this.finish(this.current, null);
  }

  finish(show, why, code) {
    if (this.current !== show) return;
    this.current = null;
    show.capture?.stop();
    if (show.mine && show.room) {
      this.say(show, "off");
      this.live.close(show.room); // first, if these are our last words
    } else if (show.room) {
      this.live.noMorePushing(show.room);
      this.say(show, "leave", {}, show.from);
    }
    if (show.subscribed) this.live.unsubscribe(show.room);
    if (why) this.known.delete(show.room);
    this.together.finished(why, { name: this.store.people.nameOf(show.from), code });
  }

  // --- what others say

  received({ room, say, hosts }, { from, room: group, trusted }) {
    if (!trusted || !isNode(room)) return;
    const show = this.current?.room === room ? this.current : null;
    if (say === "watch" && show?.mine && show.viewers.size < MOST_VIEWERS) {
      show.viewers.set(from, Date.now());
    } else if (say === "leave" && show?.mine) {
      show.viewers.delete(from);
    } else if (say === "on") {
      this.heardOf(room, group ?? from, from, hosts);
    } else if (this.known.get(room)?.from === from && say === "off") {
      if (show) this.finish(show, "live.ended");
      this.known.delete(room);
    } else if (show?.from === from && say === "cohost") {
      show.invited = true;
    }
    this.together.changed();
  }

  heardOf(room, node, from, list) {
    const before = this.known.get(room);
    if (before ? before.from !== from : this.known.size >= MOST_KNOWN) return;
    const hosts = nodesOf(list, MOST_HOSTS);
    for (const host of hosts) this.store.people.person(host);
    this.known.set(room, { room, from, node, hosts, heard: Date.now() });
    this.store.conversation(node).time ||= Date.now();
    if (!before) this.together.news?.("live.news", { name: this.store.people.nameOf(from) });
    const show = this.current;
    if (show?.room !== room) return;
    this.say(show, "watch", {}, from);
    if (!Array.isArray(list)) return;
    show.hosts = new Set(hosts);
    show.invited = show.hosts.has(this.store.me);
    if (!show.invited && show.capture) this.rest(show);
    this.tidy(show);
  }

  // Who may not show themselves any more is not seen any more.
  tidy(show) {
    for (const node of show.screens.keys()) {
      if (node !== show.from && !show.hosts.has(node)) show.screens.delete(node);
    }
  }

  look(now) {
    for (const [room, { heard }] of this.known) {
      if (now - heard < FORGET_MS) continue;
      this.known.delete(room);
      this.together.changed();
    }
    const show = this.current;
    if (!show?.mine || !show.room) return;
    for (const [node, heard] of show.viewers) {
      if (now - heard < FORGET_MS) continue;
      show.viewers.delete(node);
      this.together.changed();
    }
    if (now - show.said >= SAY_MS) this.announce(show);
  }
}
