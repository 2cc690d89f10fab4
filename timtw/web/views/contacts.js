// The people: requests that came, friends, requests that went out, and who is blocked.
import { h, reconcile, setText } from "../dom.js";
import { t } from "../i18n.js";
import { actionsView } from "./actions.js";
import { face } from "./face.js";

const SECTIONS = ["asking", "friend", "asked", "blocked"];
const AT_HAND = { asking: ["accept", "decline"], asked: ["takeback"], blocked: ["unblock"] };

export function contactsView(app, { open, toFind }) {
  const { store, session } = app;
  const rows = new Map(); // standing and node: the actions of a row
  const empty = h("div", { class: "empty", id: "no-people" },
    h("p", { class: "lead" }, t("people.empty")), h("p", { class: "hint" }, t("people.empty.hint")));
  const sections = new Map(SECTIONS.map((standing) => [standing, section(standing)]));
  const element = h("div", { class: "panel" }, empty,
    ...[...sections.values()].map(({ part }) => part));

  function section(standing) {
    const list = h("ul", { class: "people rows", "data-standing": standing });
    const title = h("h2", { id: "title-" + standing }, t("people." + standing));
    const part = h("section", { "aria-labelledby": title.id }, title, list);
    return { part, list };
  }

  function item(standing, node) {
    const key = standing + " " + node;
    return {
      key,
      make: () => make(standing, node, key),
      update: (li) => {
        fill(li, standing, node);
        rows.get(key).update();
      },
    };
  }

  function make(standing, node, key) {
    const actions = actionsView(app, node, { only: AT_HAND[standing] });
    rows.set(key, actions);
    const entry = h("button", { type: "button", class: "entry", onclick: () => open(node) });
    const li = h("li", {}, entry, actions.element);
    if (!AT_HAND[standing]) li.insertBefore(more(actions.element), actions.element);
    return li;
  }

  // What is seldom wanted is behind a button.
  function more(hidden) {
    hidden.hidden = true;
    return h("button", { type: "button", class: "more", "aria-expanded": "false", onclick: toggle }, "⋯");

    function toggle({ currentTarget }) {
      hidden.hidden = !hidden.hidden;
      currentTarget.setAttribute("aria-expanded", String(!hidden.hidden));
      if (!hidden.hidden) hidden.scrollIntoView({ block: "nearest" });
    }
  }

  function fill(li, standing, node) {
    const name = store.people.nameOf(node);
    const login = store.state.people[node]?.login ?? "";
    const { text = "" } = store.state.requests[node] ?? {};
    const presence = session.presence.of(node);
    const seen = JSON.stringify([name, login, text, presence, session.presence.statusOf(node)]);
    const entry = li.firstChild;
    entry.setAttribute("aria-current", String(store.state.open === node));
    if (entry.dataset.seen === seen) return;
    entry.dataset.seen = seen;
    const second = standing === "asking" ? text : lineOf(node, name, login, presence);
    entry.replaceChildren(face(node, name, presence), h("span", { class: "who", dir: "auto" }, name),
      second ? h("span", { class: "preview whole", dir: "auto" }, second) : "");
    entry.classList.toggle("single", !second);
    li.querySelector(".more")?.setAttribute("aria-label", t("people.more", { name }));
  }

  // Below a name: how somebody is, or else how to find them.
  function lineOf(node, name, login, presence) {
    if (presence) return session.presence.statusOf(node) || t("presence." + presence);
    return login === name ? "" : login;
  }

  function update() {
    let count = 0;
    const held = element.contains(document.activeElement) && document.activeElement.closest("li");
    const present = new Set();
    for (const [standing, { part, list }] of sections) {
      const nodes = store.people.all(standing);
      count += nodes.length;
      part.hidden = !nodes.length;
      setText(part.firstChild, t("people." + standing) + " · " + nodes.length);
      const items = nodes.map((node) => item(standing, node));
      for (const { key } of items) present.add(key);
      reconcile(list, items);
    }
    for (const key of rows.keys()) if (!present.has(key)) rows.delete(key);
    empty.hidden = count > 0;
    if (held && !held.isConnected) focus(held.dataset.key.split(" ")[1]); // it stands elsewhere
  }

  function focus(node) {
    const row = [...element.querySelectorAll("li")].find((li) => li.dataset.key.endsWith(" " + node));
    if (row) row.firstChild.focus();
    else toFind();
    return true;
  }

  return { element, update, focus };
}
