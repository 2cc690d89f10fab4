// The worker of clockwork.js.
const TICK_MS = 100;

setInterval(() => postMessage(null), TICK_MS);
