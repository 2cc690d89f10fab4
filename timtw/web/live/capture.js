// What we show and say: camera and microphone if there are any and we may, else a picture
// that moves. Pictures are JPEG images of at most PICTURE_BYTES, about ten a second; they get
// smaller where a line or the node takes less.
import { ticking } from "./clockwork.js";
import { drawStandIn } from "./standin.js";

const PICTURE_BYTES = 24_000;
const ROOMY = 9_000; // bytes below which there is room for a larger picture
const PATIENT = 20; // roomy pictures in a row before the next is larger
const LEVELS = [
  [240, 180, 0.35], [320, 240, 0.4], [320, 240, 0.6], [480, 360, 0.55], [480, 360, 0.7], [640, 480, 0.6],
];
const FIRST_LEVEL = 3;
const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15 } };
const WISHES = [{ video: CAMERA, audio: true }, { video: CAMERA }, { audio: true }];

export class Capture {
  // Calls picture(bytes) and sound(bytes); `crowded()` tells whether the line takes less than
  // is sent; `changed()` is called when a camera or a microphone has come.
  constructor(name, { picture, sound, crowded, changed }) {
    Object.assign(this, { name, picture, sound, crowded, changed });
    this.canvas = document.createElement("canvas");
    this.video = document.createElement("video");
    this.video.muted = this.video.playsInline = true;
    this.stream = null;
    this.context = null;
    this.camera = false; // whether there is one
    this.microphone = false;
    this.shows = true; // whether we want it seen, if there is one
    this.speaks = true;
    this.level = FIRST_LEVEL;
    this.roomy = 0;
    this.busy = false;
    this.over = false;
    this.rest = ticking(() => this.tick());
    this.open();
    this.draw();
  }

  // Until somebody has decided about the camera, or if there is none, the picture moves.
  async open() {
    const stream = await allowed();
    if (!stream) return;
    if (this.over) {
      stop(stream);
      return;
    }
    this.stream = stream;
    this.video.srcObject = stream;
    this.camera = stream.getVideoTracks().length > 0;
    this.microphone = stream.getAudioTracks().length > 0;
    if (this.camera) this.video.play().catch(() => (this.camera = false));
    if (this.microphone) await this.listen(stream);
    this.changed();
  }

  async listen(stream) {
    const context = new AudioContext();
    this.context = context;
    try {
      await context.audioWorklet.addModule(new URL("./pcm.js", import.meta.url));
    } catch {
      this.microphone = false; // a browser without worklets, or the page is left
      return;
    }
    if (this.over) return;
    const node = new AudioWorkletNode(context, "pcm");
    node.port.onmessage = ({ data }) => {
      if (this.speaks && !this.over) this.sound(new Uint8Array(data));
    };
    context.createMediaStreamSource(stream).connect(node).connect(context.destination); // silent
    context.resume().catch(() => {});
  }

  // Nothing leaves a camera or a microphone that is not wanted.
  turn(what) {
    this[what] = !this[what];
    const tracks = what === "shows" ? this.stream?.getVideoTracks() : this.stream?.getAudioTracks();
    for (const track of tracks ?? []) track.enabled = this[what];
  }

  stop() {
    this.over = true;
    this.rest();
    if (this.stream) stop(this.stream);
    this.video.srcObject = null;
    this.context?.close();
  }

  tick() {
    if (this.busy || this.over) return;
    this.draw();
    if (this.crowded()) {
      this.change(-1);
      return;
    }
    this.busy = true;
    this.canvas.toBlob((blob) => this.taken(blob), "image/jpeg", LEVELS[this.level][2]);
  }

  async taken(blob) {
    const bytes = blob ? new Uint8Array(await blob.arrayBuffer()) : null;
    this.busy = false;
    if (this.over || !bytes) return;
    if (bytes.length > PICTURE_BYTES) {
      this.change(-1);
      return;
    }
    this.roomy = bytes.length < ROOMY ? this.roomy + 1 : 0;
    if (this.roomy > PATIENT) this.change(1);
    this.picture(bytes);
  }

  change(step) {
    this.level = Math.max(0, Math.min(LEVELS.length - 1, this.level + step));
    this.roomy = 0;
  }

  draw() {
    const { canvas, video } = this;
    const [width, height] = LEVELS[this.level];
    if (canvas.width !== width) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (!this.camera || !this.shows || !video.videoWidth) {
      drawStandIn(context, this.name);
      return;
    }
    const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
    const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
    context.drawImage(video, (width - w) / 2, (height - h) / 2, w, h);
  }
}

// The stream of what there is and we may use, or null.
async function allowed() {
  for (const wish of WISHES) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch (error) {
      if (error.name === "NotAllowedError" || !navigator.mediaDevices) return null;
    }
  }
  return null;
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
