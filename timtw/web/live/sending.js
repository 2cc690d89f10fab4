// The pieces of a file, one behind the other, as fast as the line takes them.
import { ticking } from "./clockwork.js";

const PIECE = 65_536 - 64; // bytes, so that the frame around it has at most 64 KiB
const READ = 16 * PIECE; // bytes that are read from the disk at once
const FULL = 512 * 1024; // bytes that wait in the socket from which the next piece waits

// Pushes what `one` of Files holds, as long as it is to be sent. Returns null when all has
// left, else why not: "unreadable", "lost", or "over" if it is not to be sent any more.
export async function sendPieces(one, { live, link, progress }) {
  for (let start = 0; start < one.size; start += READ) {
    let bytes;
    try {
      bytes = new Uint8Array(await one.file.slice(start, start + READ).arrayBuffer());
    } catch {
      return "unreadable"; // it was changed or removed meanwhile
    }
    for (let at = 0; at < bytes.length; at += PIECE) {
      await space(link, one);
      if (one.state !== "sending") return "over";
      const piece = bytes.subarray(at, at + PIECE);
      if (!live.push(one.room, piece)) return "lost";
      one.sum.update(piece);
      progress(one, piece.length);
    }
  }
  return null;
}

// Resolves when the line takes more, or when nothing is to be sent any more.
function space(link, one) {
  const enough = () => link.waiting < FULL || one.state !== "sending";
  if (enough()) return null;
  return new Promise((resolve) => {
    const rest = ticking(() => {
      if (!enough()) return;
      rest();
      resolve();
    });
  });
}
