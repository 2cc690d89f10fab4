// Something to do ten times a second, also while nobody looks at the page: the timers of a
// page rest then, those of its worker do not.

const listeners = new Set();
let worker = null;

// Calls `listener` until the function that is returned is called.
export function ticking(listener) {
  listeners.add(listener);
  worker ??= begin();
  return () => {
    listeners.delete(listener);
    if (listeners.size) return;
    worker?.terminate();
    worker = null;
  };
}

function begin() {
  const ticker = new Worker(new URL("./ticker.js", import.meta.url));
  ticker.onmessage = () => {
    for (const listener of [...listeners]) listener();
  };
  return ticker;
}
