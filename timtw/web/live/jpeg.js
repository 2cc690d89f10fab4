// How large a picture is, read from its first bytes: before anything is decoded, because a
// few bytes can stand for more pixels than there is memory.

const MOST_PIXELS = 1280; // of width and of height

// Whether these bytes begin as a JPEG image of a size that is shown.
export function isShowable(bytes) {
  const size = jpegSize(bytes);
  return size !== null && size.width <= MOST_PIXELS && size.height <= MOST_PIXELS;
}

// {width, height}, or null for what is no JPEG image.
export function jpegSize(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    const begins = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    const two = (index) => bytes[at + index] * 256 + bytes[at + index + 1];
    if (begins) return two(5) && two(7) ? { width: two(7), height: two(5) } : null;
    if (marker === 0xda || two(2) < 2) return null;
    at += 2 + two(2);
  }
  return null;
}
