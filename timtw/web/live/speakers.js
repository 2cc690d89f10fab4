// The way out for everything one hears. A browser lets a page be heard once somebody has
// pressed something in it.

const TONES = [523, 659]; // hertz, one behind the other
const TONE_S = 0.22;
const LOUDNESS = 0.08; // of the loudest there is

let context = null;

// What sounds are made with, or null while nothing can be heard.
export function speakers() {
  if (!navigator.userActivation?.hasBeenActive) return null;
  context ??= new AudioContext();
  if (context.state === "running") return context;
  context.resume().catch(() => {});
  return null;
}

// It rings, once.
export function ringOnce() {
  const out = speakers();
  if (!out) return;
  const volume = new GainNode(out, { gain: LOUDNESS });
  volume.connect(out.destination);
  TONES.forEach((frequency, index) => {
    const tone = new OscillatorNode(out, { frequency });
    tone.connect(volume);
    tone.start(out.currentTime + index * TONE_S);
    tone.stop(out.currentTime + (index + 1) * TONE_S);
  });
}
