// Each tab is a device of its own. What a device must remember lies in a numbered slot of
// localStorage; a lock of the browser makes sure that no two tabs use one slot, and gives
// a tab that is opened again the slot that was left. Without locks (an insecure origin)
// the tab keeps its own sessionStorage, which survives a reload.

const PREFIX = "timtw.slot.";
const PREFERRED = "timtw.slot";
const SLOTS = 32; // as many devices as a node remembers for an account
const RELOAD_MS = 1_500; // the page before a reload may hold the lock a moment longer

export class Slot {
  constructor(storage, key) {
    this.storage = storage;
    this.key = key;
    this.full = false;
  }

  // What was saved last, or null.
  load() {
    try {
      return JSON.parse(this.storage.getItem(this.key));
    } catch {
      return null;
    }
  }

  // True when it is stored. Where there is no room the page goes on from memory: what is
  // not stored here is fetched from the node again.
  save(state) {
    try {
      this.storage.setItem(this.key, JSON.stringify(state));
      this.full = false;
    } catch {
      this.full = true;
    }
    return !this.full;
  }
}

export async function claimSlot() {
  if (!navigator.locks) return new Slot(sessionStorage, PREFIX + "tab");
  const preferred = Number(sessionStorage.getItem(PREFERRED));
  if (preferred && (await hold(preferred, { signal: AbortSignal.timeout(RELOAD_MS) }))) {
    return settle(preferred);
  }
  for (const number of candidates()) {
    if (await hold(number, { ifAvailable: true })) return settle(number);
  }
  return new Slot(sessionStorage, PREFIX + "tab");
}

// Slots with a login first, so that a new tab goes on where one was closed.
function candidates() {
  const numbers = Array.from({ length: SLOTS }, (_, index) => index + 1);
  const loggedIn = (number) => Boolean(new Slot(localStorage, PREFIX + number).load()?.credential);
  return [...numbers.filter(loggedIn), ...numbers.filter((number) => !loggedIn(number))];
}

function settle(number) {
  sessionStorage.setItem(PREFERRED, String(number));
  return new Slot(localStorage, PREFIX + number);
}

// Holds the lock of a slot for as long as the page lives; false when another tab has it.
function hold(number, options) {
  return new Promise((resolve) => {
    navigator.locks
      .request(PREFIX + number, options, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(() => {}) : undefined;
      })
      .catch(() => resolve(false));
  });
}
