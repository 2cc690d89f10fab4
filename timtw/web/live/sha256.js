// SHA-256 of bytes that come in pieces (FIPS 180-4). The browser's own digest wants all of
// them at once, and a file may be larger than what one wants to hold.
import { hex } from "../wire.js";

const BLOCK = 64; // bytes
const LENGTH_AT = BLOCK - 8; // where the length stands in the last block
const CONSTANTS = new Uint32Array(64);
const START = new Uint32Array(8);

// The first 32 bits of the fractions of cube and square roots of the first primes.
function fill() {
  const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32);
  let found = 0;
  for (let number = 2; found < CONSTANTS.length; number += 1) {
    let prime = true;
    for (let divisor = 2; prime && divisor * divisor <= number; divisor += 1) prime = number % divisor !== 0;
    if (!prime) continue;
    if (found < START.length) START[found] = fraction(Math.sqrt(number));
    CONSTANTS[found++] = fraction(Math.cbrt(number));
  }
}
fill();

export class Sha256 {
  constructor() {
    this.state = START.slice();
    this.block = new Uint8Array(BLOCK);
    this.filled = 0; // bytes of the block that is not full yet
    this.length = 0; // of everything so far
    this.words = new Uint32Array(64);
  }

  update(bytes) {
    this.length += bytes.length;
    let at = 0;
    if (this.filled) {
      at = Math.min(BLOCK - this.filled, bytes.length);
      this.block.set(bytes.subarray(0, at), this.filled);
      this.filled += at;
      if (this.filled < BLOCK) return this;
      this.mix(this.block, 0);
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.mix(bytes, at);
    this.block.set(bytes.subarray(at));
    this.filled = bytes.length - at;
    return this;
  }

  // As hexadecimal text; nothing can be added afterwards.
  digest() {
    const bits = this.length * 8;
    this.block.fill(0, this.filled);
    this.block[this.filled] = 0x80;
    if (this.filled >= LENGTH_AT) {
      this.mix(this.block, 0);
      this.block.fill(0);
    }
    const view = new DataView(this.block.buffer);
    view.setUint32(LENGTH_AT, Math.floor(bits / 2 ** 32));
    view.setUint32(LENGTH_AT + 4, bits >>> 0);
    this.mix(this.block, 0);
    const result = new DataView(new ArrayBuffer(32));
    this.state.forEach((word, index) => result.setUint32(4 * index, word));
    return hex(new Uint8Array(result.buffer));
  }

  mix(bytes, at) {
    const { words: w, state } = this;
    for (let i = 0; i < 16; i += 1, at += 4) {
      w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15];
      const y = w[i - 2];
      const small = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      w[i] = w[i - 16] + small + w[i - 7] + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
    }
    let a = state[0], b = state[1], c = state[2], d = state[3];
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i += 1) {
      const sum = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const first = (h + sum + ((e & f) ^ (~e & g)) + CONSTANTS[i] + w[i]) | 0;
      const other = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const second = (other + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}
