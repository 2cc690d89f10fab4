// What others show and say: pictures on a canvas, sound as it comes. A piece is one octet that
// says what it is, and the thing itself; whatever else comes is left alone.
import { isShowable } from "./jpeg.js";
import { speakers } from "./speakers.js";

export const PICTURE = 1; // a JPEG image follows
export const SOUND = 2; // 16-bit samples follow, little-endian, one channel, 16,000 a second
const RATE = 16_000;
const LONGEST_PICTURE = 64 * 1024; // bytes of a piece that is looked at
const LONGEST_SOUND = 32_000; // a second
const AHEAD_S = 0.12; // heard so much later than it came, so that there are no gaps
const LOUD = 0.03; // of the loudest there is, from which somebody speaks
const SPEAKS_MS = 400; // so long behind the last loud sound
const LATE_S = 0.6; // what would be heard later than this is left out

export class Screen {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.width = 480;
    this.canvas.height = 360;
    this.seen = false; // whether there was a picture yet
    this.heard = Date.now(); // when the last piece came
    this.spoke = 0; // when something loud came last
    this.next = null; // the newest picture, while another is decoded
    this.decoding = false;
    this.until = 0; // when the sound that waits will have been heard
  }

  piece(bytes) {
    this.heard = Date.now();
    const body = bytes.subarray(1);
    if (bytes[0] === PICTURE && body.length <= LONGEST_PICTURE) this.show(body);
    else if (bytes[0] === SOUND && body.length <= LONGEST_SOUND) this.play(body);
    this.canvas.toggleAttribute("data-speaking", this.heard - this.spoke < SPEAKS_MS);
  }

  async show(bytes) {
    if (!isShowable(bytes)) return;
    this.next = bytes;
    if (this.decoding) return;
    this.decoding = true;
    while (this.next) {
      const blob = new Blob([this.next], { type: "image/jpeg" });
      this.next = null;
      const picture = await createImageBitmap(blob).catch(() => null);
      if (picture) this.draw(picture);
    }
    this.decoding = false;
  }

  draw(picture) {
    const { width, height } = picture;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
    }
    this.canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    this.seen = true;
  }

  play(bytes) {
    const count = bytes.length >> 1;
    if (!count) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 2 * count);
    const samples = Float32Array.from({ length: count }, (_, i) => view.getInt16(2 * i, true) / 0x8000);
    const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    if (loudest > LOUD) this.spoke = Date.now();
    const out = speakers();
    if (out && this.until - out.currentTime < LATE_S) this.sound(out, samples);
  }

  sound(context, samples) {
    const buffer = context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    if (this.until < context.currentTime) this.until = context.currentTime + AHEAD_S;
    source.start(this.until);
    this.until += samples.length / RATE;
  }
}
