// What people do at the same time: calls, live rooms, sending files. They share virtual rooms
// and signals, and one stage: a call, or a live room.
import { Calls } from "./calls.js";
import { Capture } from "./capture.js";
import { ticking } from "./clockwork.js";
import { Files } from "./files.js";
import { Live } from "./live.js";
import { PICTURE, SOUND } from "./screen.js";
import { Shows } from "./shows.js";
import { Signals } from "./signals.js";
import { DROPPED, ROOM_OVER, SIGNAL, TYPE } from "../wire.js";

const LOOK_MS = 1_000; // between two looks at what has to be said again, or has gone quiet
const A_PICTURE = Uint8Array.of(PICTURE);
const A_SOUND = Uint8Array.of(SOUND);

export class Together {
  constructor(store, link, isUp) {
    this.store = store;
    this.link = link;
    this.live = new Live(link, isUp, () => store.notify());
    this.signals = new Signals(store, link);
    this.over = null; // what has ended by itself: {say, values}
    this.news = null; // called with (key, values) for those who hear the page
    this.calls = new Calls(this);
    this.shows = new Shows(this);
    this.files = new Files(this);
    this.looked = 0;
    this.rest = null; // ends the ticking, while something goes on
    setInterval(() => this.look(), LOOK_MS);
  }

  // Whether we are seen somewhere: nothing else can begin then.
  get busy() {
    return Boolean(this.calls.current || this.shows.current?.capture);
  }

  // What waits for somebody in a conversation, as a key of the texts; or null.
  lineOf(node) {
    if (this.files.of(node).some(({ state }) => state === "offered")) return "file.list";
    return this.shows.of(node).length ? "live.list" : null;
  }

  // Pictures and sound of ours, pushed into the room that `roomOf` returns.
  capture(roomOf) {
    const push = (kind, bytes) => {
      const room = roomOf();
      if (room && !this.live.crowded) this.live.push(room, kind, bytes);
    };
    return new Capture(this.store.people.nameOf(this.store.me), {
      picture: (bytes) => push(A_PICTURE, bytes),
      sound: (bytes) => push(A_SOUND, bytes),
      crowded: () => this.live.crowded,
      changed: () => this.changed(),
    });
  }

  // Something has ended, and somebody should know why; `say` is a key of the texts.
  finished(say, values) {
    this.over = say ? { say, values } : null;
    if (say) this.news?.(say, values);
    this.changed();
  }

  changed() {
    const goesOn = this.calls.current || this.shows.current || this.files.moving;
    if (goesOn) this.rest ??= ticking(() => this.look());
    else {
      this.rest?.();
      this.rest = null;
    }
    this.store.notify();
  }

  look() {
    const now = Date.now();
    if (now - this.looked < LOOK_MS / 2) return;
    this.looked = now;
    this.calls.look(now);
    this.shows.look(now);
    this.files.look(now);
    if (this.calls.current || this.shows.current) this.store.notify(); // who has gone quiet
  }

  // --- the connection

  begin() {
    this.live.begin();
    this.calls.look(Date.now());
  }

  lost() {
    this.live.lost();
    this.files.lost();
  }

  // Logged out, or the page goes away.
  leave() {
    this.calls.leave();
    this.shows.leave();
    this.files.leave();
  }

  // --- what the node says; true for what is no business of others

  frame({ type, body, node, data }) {
    if (type === TYPE.STREAM) this.live.stream(body ?? {});
    else this.live.raw(node, data);
  }

  message(body) {
    if (body?.odType === SIGNAL) this.signals.received(body);
    else if (body?.odType === DROPPED) this.live.dropped(body.roomTid?.node, body.mid);
    else if (body?.odType === ROOM_OVER) this.live.over(body.roomTid?.node, body.dataString);
    else return false;
    return true;
  }

  answered(ok, timType, ack) {
    if (timType === TYPE.VROOM) this.live.answered(ok, ack);
    else if (timType === TYPE.STREAM && !ok) this.live.pushRefused(ack.n);
    else if (timType !== TYPE.MESSAGE || ok) return false;
    else return this.signals.refused(ack.t2, ack.error?.code ?? 0);
    return true;
  }
}
