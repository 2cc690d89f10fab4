// Small helpers around the document. Texts become text nodes, never markup.

// An element: h("button", {class: "x", type: "button", onclick: f}, child, "text", null).
// Properties that start with "on" are listeners; true and false set or leave out.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Whether somebody can see the page.
export function visible() {
  return document.visibilityState === "visible";
}

// Changes a text only where it differs, so that live regions stay quiet.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Makes the children of `parent` the elements of `items`, in order, keeping those that are
// there already. Items are {key, make() -> element, update(element)}. The focus
// stays where it is, or goes to a neighbour of the one that goes.
export function reconcile(parent, items) {
  const focus = document.activeElement;
  const held = [...parent.children].findIndex((child) => child.contains(focus));
  const present = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(items.map(({ key }) => String(key)));
  for (const [key, child] of present) {
    if (!wanted.has(key)) child.remove();
  }
  let place = parent.firstElementChild;
  for (const { key, make, update } of items) {
    let element = present.get(String(key));
    if (!element) {
      element = make();
      element.dataset.key = key;
    }
    update?.(element);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  if (held < 0 || document.activeElement === focus) return;
  const neighbour = parent.children[Math.min(held, parent.children.length - 1)];
  if (focus.isConnected) focus.focus(); // moving takes the focus away
  else neighbour?.querySelector("button")?.focus();
}

const COLOURS = 8;

// A round picture with the first letter of a name; its colour follows the node.
export function avatar(node, name) {
  const sum = [...node].reduce((total, letter) => (total * 31 + letter.codePointAt(0)) % 9973, 7);
  const letter = [...name.trim()][0] ?? "?";
  const classes = `avatar colour-${sum % COLOURS}`;
  return h("span", { class: classes, "aria-hidden": "true" }, letter.toUpperCase());
}
