// The device's life with the node: log in, resume, catch up, acknowledge, log out.
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { Presence } from "./presence.js";
import { Questions } from "./questions.js";
import { Reading } from "./reading.js";
import { Relations } from "./relations.js";
import { Refused } from "./requests.js";
import { Rooms } from "./rooms.js";
import { Together } from "./live/together.js";
import { NOTICE, READ, RELATIONS_CHANGED, TO_ROOM, TYPE } from "./wire.js";

const BROWSER = 3; // termtyp of this page
const ADDITIONS = { timtw: "1" };
const FINAL = new Set([4104, 4105, 4115]); // refusals of a resume that no waiting heals
const NOT_ALLOWED = 4105;
const PATIENCE_MS = 10_000; // before coming back after any other refusal
const LOGIN_MS = 20_000; // a password check may wait for its turn
const LOGOUT_MS = 3_000;

export class Session {
  constructor(store) {
    this.store = store;
    this.phase = "out"; // out, login, catching-up, live
    this.refusal = 0; // code of the last refused resume
    this.attempt = null; // {name, pwd, resolve, reject}: a login by password under way
    this.leaving = null;
    const socket = location.protocol === "https:" ? "wss://" : "ws://";
    this.link = new Link(socket + location.host + "/tim", {
      open: () => this.opened(),
      frame: (frame) => this.received(frame),
      leave: () => this.together.leave(), // the last words of a page that goes
      down: () => this.lost(),
      phase: () => this.store.notify(),
      tooLong: () => this.outbox.tooLong(),
    });
    this.outbox = new Outbox(store, this.link, () => this.phase === "live");
    this.questions = new Questions(store, this.link);
    this.reading = new Reading(store, this.link, this.questions, () => this.phase === "live");
    this.rooms = new Rooms(store, this.questions);
    this.presence = new Presence(store, this.link);
    this.relations = new Relations(store, this.questions);
    this.together = new Together(store, this.link, () => this.phase === "live");
  }

  // --- in and out

  resume() {
    if (this.store.state.credential) this.link.start();
  }

  // Rejects with Refused; 0 when the node could not be reached.
  login(name, pwd) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.attemptFailed(0), LOGIN_MS);
      this.attempt = { name, pwd, resolve, reject, timer };
      this.link.stop();
      this.link.start();
    });
  }

  async logout() {
    this.together.leave();
    if (this.link.send(TYPE.LOGOUT)) {
      await new Promise((resolve) => {
        this.leaving = resolve;
        setTimeout(resolve, LOGOUT_MS);
      });
      this.leaving = null;
    }
    this.leave();
    this.presence.forget();
    this.store.forget();
  }

  leave() {
    this.together.leave();
    this.enter("out");
    this.link.stop();
    this.lost();
  }

  opened() {
    const { resource, credential } = this.store.state;
    const { name = "", pwd = "" } = this.attempt ?? {};
    const token = this.attempt ? undefined : credential;
    this.enter("login");
    this.link.send(TYPE.LOGIN, {
      name, pwd, token, resource, termtyp: BROWSER, extend: ADDITIONS,
    });
  }

  lost() {
    if (this.phase !== "out") this.enter("login");
    if (this.attempt) this.attemptFailed(0);
    this.questions.lost();
    this.presence.lost();
    this.outbox.lost();
    this.together.lost();
    this.leaving?.();
  }

  attemptFailed(code) {
    const { attempt } = this;
    if (!attempt) return;
    clearTimeout(attempt.timer);
    this.attempt = null;
    this.leave();
    attempt.reject(new Refused(code));
  }

  enter(phase) {
    this.phase = phase;
    this.store.notify();
  }

  // --- what the node says

  received(frame) {
    const { type, id, body } = frame;
    switch (type) {
      case TYPE.ACK:
        this.answered(body ?? {});
        break;
      case TYPE.BACKLOG:
        this.store.messages.takeEntries(body?.messageList ?? [], true);
        break;
      case TYPE.BACKLOG_END:
        this.caughtUp();
        break;
      case TYPE.MESSAGE:
        this.message(body);
        break;
      case TYPE.PRESENCE:
        this.presence.received(body ?? {});
        break;
      case TYPE.HISTORY:
        this.questions.pages.answer(body?.messageList ?? []);
        break;
      case TYPE.NODES:
        this.questions.listed(body);
        break;
      case TYPE.STREAM:
      case TYPE.BIG_STREAM:
        this.together.frame(frame);
        break;
    }
    if (id) this.link.acknowledge(id); // only now: what came is stored
  }

  message(body) {
    const live = this.phase === "live";
    if (this.together.message(body)) {
      if (live) this.questions.askUnknown();
      return;
    }
    const own = body?.msType !== TO_ROOM; // groups have logs of their own
    if (!live && own && body?.seq > this.early) this.early = body.seq;
    this.store.messages.takeEntries([body], live);
    if (!live) return;
    this.questions.askUnknown();
    if (body?.odType === RELATIONS_CHANGED && body.roomTid) this.rooms.changed(body.roomTid.node);
    else if (body?.odType === NOTICE && body.roomTid) this.rooms.news(body.bnType, body.roomTid.node);
    else if (body?.odType === NOTICE || body?.odType === RELATIONS_CHANGED) this.relations.refresh();
  }

  answered(ack) {
    const { ok, timType, error, n, t2 } = ack;
    const code = error?.code ?? 0;
    if (this.together.answered(ok, timType, ack)) return;
    if (timType === TYPE.LOGIN) {
      if (ok) this.admitted(n, t2 ?? 0);
      else this.refused(code);
    } else if (timType === TYPE.CREDENTIAL && ok) {
      this.store.setCredential(n);
    } else if (timType === TYPE.LOGOUT && ok) {
      this.dismissed();
    } else if (timType === TYPE.MESSAGE && !ok && ack.t === READ) {
      // A mark is made good by the next one.
    } else if (timType === TYPE.MESSAGE && !ok) {
      this.outbox.refused(t2, code);
      if (code === NOT_ALLOWED) this.somethingEnded();
    } else if (timType === TYPE.PRESENCE || timType === TYPE.BROADCAST) {
      this.presence.refused(code);
    } else {
      this.questions.answered(ok, timType, ack);
    }
  }

  // A text was not allowed: a friendship has ended, or we are not in the group any more.
  somethingEnded() {
    this.relations.refresh();
    if (this.rooms.offered) this.rooms.refresh();
  }

  admitted(node, head) {
    const { attempt } = this;
    this.attempt = null;
    this.refusal = 0;
    this.early = 0;
    this.link.settled();
    this.store.loggedIn(node, attempt?.name, head);
    this.enter("catching-up");
    this.link.send(TYPE.BACKLOG, { reqInt: this.store.state.seq });
    if (!attempt) return;
    clearTimeout(attempt.timer);
    attempt.resolve();
  }

  refused(code) {
    if (this.attempt) {
      this.attemptFailed(code);
    } else if (FINAL.has(code)) {
      this.leave();
      this.store.end(code === 4115 ? "expired" : "blocked");
    } else {
      this.refusal = code;
      this.link.drop(PATIENCE_MS);
    }
  }

  dismissed() {
    if (this.leaving) {
      this.leaving();
    } else {
      this.leave();
      this.store.end("displaced");
    }
  }

  caughtUp() {
    if (this.phase !== "catching-up") return;
    this.enter("live");
    this.store.messages.takeEntries([{ seq: this.early }], true);
    this.outbox.flush();
    this.presence.begin();
    this.together.begin();
    this.reading.begin();
    this.relations.refresh()
      .then(() => this.rooms.refresh())
      .then(() => this.questions.refreshNames());
  }
}
