// One WebSocket that is wanted: opened, kept alive, given up when silent, opened again.
import { decode, encode, encodeAck, TYPE } from "./wire.js";

const OPEN_MS = 10_000; // an attempt that is not open by then has failed
const PING_MS = 15_000;
const SILENT_MS = 30_000; // behind the first unanswered ping: 45 s after the last frame
const PROBE_MS = 5_000; // the same after waking up, when a dead line is likely
const TOO_LONG = 1009; // how the node closes for a frame that is longer than it takes
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

// Callbacks in `on`: open(), frame(frame), tooLong(), leave(), down(), phase(). Phases: "stopped",
// "connecting", "open", "waiting" (then `retryAt` is the time of the next attempt).
export class Link {
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.phase = "stopped";
    this.retryAt = 0;
    this.attempts = 0;
    this.socket = null;
    this.unanswered = 0; // time of the first ping that nothing followed, or 0
    this.timers = { open: 0, ping: 0, retry: 0, probe: 0 };
    window.addEventListener("online", () => this.hurry());
    window.addEventListener("offline", () => this.probe());
    window.addEventListener("pagehide", () => {
      this.on.leave();
      this.drop(); // the page may be kept, frozen, unseen
    });
    window.addEventListener("pageshow", () => this.hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.hurry();
    });
  }

  start() {
    if (this.phase !== "stopped") return;
    this.attempts = 0;
    this.connect();
  }

  stop() {
    this.enter("stopped");
    this.discard();
  }

  // Called when the connection has proved useful: the next loss retries quickly.
  settled() {
    this.attempts = 0;
  }

  // Try again now if waiting; if open, find out soon whether that is still true.
  hurry() {
    if (this.phase === "waiting") this.connect();
    else this.probe();
  }

  // Give the connection up and try again, after `least` milliseconds or more.
  drop(least = 0) {
    if (this.phase === "stopped" || this.phase === "waiting") return;
    this.discard();
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts);
    const wait = Math.max(least, longest * (0.5 + Math.random() / 2));
    this.attempts += 1;
    this.retryAt = Date.now() + wait;
    this.timers.retry = setTimeout(() => this.connect(), wait);
    this.enter("waiting");
    this.on.down();
  }

  // False when there is no open connection.
  send(type, body) {
    return this.write(encode(type, body));
  }

  // Bytes that are written and have not left yet.
  get waiting() {
    return this.socket?.bufferedAmount ?? 0;
  }

  acknowledge(id) {
    return this.write(encodeAck(id));
  }

  write(frame) {
    if (this.phase !== "open" || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(frame);
    return true;
  }

  connect() {
    this.discard();
    this.enter("connecting");
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.timers.open = setTimeout(() => this.drop(), OPEN_MS);
    socket.onopen = () => this.opened();
    socket.onclose = ({ code }) => {
      if (code === TOO_LONG) this.on.tooLong();
      this.drop();
    };
    socket.onmessage = (event) => this.received(event.data);
  }

  opened() {
    clearTimeout(this.timers.open);
    this.unanswered = 0;
    this.timers.ping = setInterval(() => this.beat(), PING_MS);
    this.enter("open");
    this.on.open();
  }

  received(data) {
    this.unanswered = 0;
    if (typeof data === "string") return;
    let frame;
    try {
      frame = decode(data);
    } catch {
      this.drop(); // whatever it was, it comes again: nothing was acknowledged
      return;
    }
    this.on.frame(frame);
  }

  beat() {
    const now = Date.now();
    if (this.unanswered && now - this.unanswered >= SILENT_MS) {
      this.drop();
      return;
    }
    this.unanswered ||= now;
    this.send(TYPE.PING);
  }

  probe() {
    if (this.phase !== "open") return;
    this.unanswered = Date.now();
    this.send(TYPE.PING);
    clearTimeout(this.timers.probe);
    this.timers.probe = setTimeout(() => {
      if (this.unanswered) this.drop();
    }, PROBE_MS);
  }

  enter(phase) {
    this.phase = phase;
    this.on.phase();
  }

  discard() {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }
}
