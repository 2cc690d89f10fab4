// In the audio thread: what the microphone hears, as 16-bit samples of one channel, 16,000 a
// second, little-endian, a tenth of a second at a time.
const RATE = 16_000;
const SAMPLES = RATE / 10;

class Pcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.sum = 0; // of the samples that become the next one
    this.count = 0;
    this.phase = 0;
    this.begin();
  }

  begin() {
    this.view = new DataView(new ArrayBuffer(2 * SAMPLES));
    this.filled = 0;
  }

  process([channels]) {
    const [first] = channels;
    for (let i = 0; i < (first?.length ?? 0); i += 1) {
      this.sum += channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
      this.count += 1;
      this.phase += RATE;
      if (this.phase < sampleRate) continue;
      this.phase -= sampleRate;
      this.add(this.sum / this.count);
      this.sum = this.count = 0;
    }
    return true;
  }

  add(sample) {
    this.view.setInt16(2 * this.filled, Math.max(-1, Math.min(1, sample)) * 0x7fff, true);
    this.filled += 1;
    if (this.filled < SAMPLES) return;
    this.port.postMessage(this.view.buffer, [this.view.buffer]);
    this.begin();
  }
}

registerProcessor("pcm", Pcm);
