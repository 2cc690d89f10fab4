// Drawn signs for buttons whose words stand in their labels.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = {
  call: "M3 7.5h11a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z M15 11l6-3.5v9L15 13",
  live: "M10.5 12a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0 M8 16a5.6 5.6 0 0 1 0-8 M16 8a5.6 5.6 0 0 1 0 8 "
    + "M5.2 18.8a9.6 9.6 0 0 1 0-13.6 M18.8 5.2a9.6 9.6 0 0 1 0 13.6",
  file: "M19.5 11.5l-8 8a4.9 4.9 0 0 1-7-7l8.3-8.3a3.3 3.3 0 0 1 4.7 4.7l-8.2 8.2a1.6 1.6 0 0 1-2.4-2.3l7.3-7.3",
};

export function icon(name) {
  const image = document.createElementNS(SVG, "svg");
  image.setAttribute("viewBox", "0 0 24 24");
  image.setAttribute("class", "icon");
  image.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", DRAWN[name]);
  image.append(path);
  return image;
}
