// Virtual rooms: made, ended, subscribed to, pushed into. What flows through them is kept by
// nobody, and a subscription ends with its connection: it is made again on the next one.
import { ignoreRefusal } from "../questions.js";
import { Lane, Refused } from "../requests.js";
import { encodePiece, FILE_ROOM, fromBase64, RAW, TYPE, VROOM } from "../wire.js";

const NOT_OFFERED = 4107;
const CROWDED = 96 * 1024; // bytes that wait in the socket from which a picture is not sent

export class Live {
  constructor(link, isUp, changed) {
    this.link = link;
    this.isUp = isUp;
    this.changed = changed; // called when `offered` has changed
    this.offered = true; // whether this node has virtual rooms
    this.rooms = new Map(); // those subscribed to: {raw, piece, dropped, ended}
    this.pushing = new Map(); // what to call when a push into a room is refused
    this.lane = new Lane((body) => link.send(TYPE.VROOM, body), () => link.drop());
  }

  // The connection is up: what was subscribed to is subscribed to again.
  begin() {
    for (const room of this.rooms.keys()) this.enter(room).catch(ignoreRefusal);
  }

  lost() {
    this.lane.fail();
  }

  async ask(body) {
    try {
      return await this.lane.ask(body);
    } catch (error) {
      if (error instanceof Refused && error.code === NOT_OFFERED) {
        this.offered = false;
        this.changed();
      }
      throw error;
    }
  }

  // Makes a room that we may push into; `refused()` is called if one day we may not.
  async open(isFile, refused) {
    const { n } = await this.ask({ rtype: VROOM.CREATE, reqInt: isFile ? FILE_ROOM : undefined });
    this.pushing.set(n, refused);
    return n;
  }

  // Ends a room of our own.
  close(room) {
    this.pushing.delete(room);
    if (this.isUp()) this.ask({ rtype: VROOM.REMOVE, node: room }).catch(ignoreRefusal);
  }

  allow(room, node2, allowed) {
    return this.ask({ rtype: allowed ? VROOM.ALLOW : VROOM.FORBID, node: room, node2 });
  }

  // From now on `piece(bytes, from)` is called for what is pushed, `dropped(count)` for what
  // did not come, and `ended(why)` once, also when the node knows no such room. With `raw`
  // nobody says who pushed. Fails only when the node cannot be asked.
  async subscribe(room, handlers) {
    this.rooms.set(room, handlers);
    await this.enter(room);
  }

  async enter(room) {
    try {
      const { raw } = this.rooms.get(room);
      await this.ask({ rtype: VROOM.SUBSCRIBE, node: room, reqInt: raw ? RAW : undefined });
    } catch (error) {
      if (!(error instanceof Refused) || !error.code) throw error;
      this.over(room, "unknown");
    }
  }

  unsubscribe(room) {
    if (!this.rooms.delete(room) || !this.isUp()) return;
    this.ask({ rtype: VROOM.UNSUBSCRIBE, node: room }).catch(ignoreRefusal);
  }

  // May push into a room of somebody else until `refused()` is called.
  mayPush(room, refused) {
    this.pushing.set(room, refused);
  }

  noMorePushing(room) {
    this.pushing.delete(room);
  }

  // False without a connection.
  push(room, ...parts) {
    return this.isUp() && this.link.write(encodePiece(room, ...parts));
  }

  // Whether more is written than the line takes.
  get crowded() {
    return this.link.waiting > CROWDED;
  }

  // --- what the node says

  answered(ok, ack) {
    if (ok) this.lane.answer(ack);
    else this.lane.refuse(ack.error?.code ?? 0);
  }

  pushRefused(room) {
    const refused = this.pushing.get(room);
    this.pushing.delete(room);
    refused?.();
  }

  raw(room, data) {
    this.rooms.get(room)?.piece(data, null);
  }

  stream({ VNode, body, fromNode }) {
    const room = this.rooms.get(VNode);
    const bytes = room && typeof body === "string" ? fromBase64(body) : null;
    if (bytes && typeof fromNode === "string") room.piece(bytes, fromNode);
  }

  dropped(room, count) {
    if (count > 0) this.rooms.get(room)?.dropped(count);
  }

  over(room, why) {
    const handlers = this.rooms.get(room);
    this.rooms.delete(room);
    handlers?.ended(why);
  }
}
