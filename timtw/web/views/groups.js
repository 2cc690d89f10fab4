// The groups: making one, going into one by its number, and those that we know.
import { h, reconcile, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";
import { roomFace } from "./face.js";
import { stepsView } from "./steps.js";

const KINDS = ["mine", "asked", "blocked"];
const LONGEST_NAME = 80;

export function groupsView(app, { open }) {
  const { store, session } = app;
  const name = h("input", { id: "group-name", dir: "auto", autocomplete: "off", maxlength: LONGEST_NAME,
    placeholder: t("group.name"), "aria-label": t("group.name"), "aria-describedby": "group-problem" });
  const opened = h("input", { type: "checkbox", id: "group-open" });
  const number = h("input", { id: "group-number", autocomplete: "off", spellcheck: "false",
    placeholder: t("group.number"), "aria-label": t("group.number"), "aria-describedby": "join-problem" });
  const words = h("input", { id: "group-words", dir: "auto", autocomplete: "off",
    placeholder: t("ask.placeholder"), "aria-label": t("ask.placeholder") });
  const problem = h("p", { class: "problem", id: "group-problem", role: "alert" });
  const unjoined = h("p", { class: "problem", id: "join-problem", role: "alert" });
  const making = h("details", { class: "fold", id: "make-group" }, h("summary", {}, t("group.new")),
    h("form", { class: "fields", onsubmit: make }, name,
      h("label", { class: "check", for: "group-open" }, opened, t("group.open")),
      problem, h("button", { type: "submit", class: "main" }, t("group.make"))));
  const joining = h("details", { class: "fold", id: "join-group" }, h("summary", {}, t("group.join")),
    h("form", { class: "fields", onsubmit: join }, number, words,
      unjoined, h("button", { type: "submit", class: "main" }, t("group.enter"))));
  const empty = h("div", { class: "empty", id: "no-groups" },
    h("p", { class: "lead" }, t("groups.empty")), h("p", { class: "hint" }, t("groups.empty.hint")));
  const sections = new Map(KINDS.map((kind) => [kind, section(kind)]));
  const element = h("div", { class: "panel" }, making, joining, empty,
    ...[...sections.values()].map(({ part }) => part));

  function section(kind) {
    const list = h("ul", { class: "people rows", "data-groups": kind });
    const title = h("h2", { id: "groups-" + kind }, t("groups." + kind));
    return { part: h("section", { "aria-labelledby": title.id }, title, list), list };
  }

  async function make(event) {
    event.preventDefault();
    if (!name.value.trim()) return;
    await attempt(problem, "group", async () => {
      const node = await session.rooms.create(name.value.trim(), !opened.checked);
      name.value = "";
      making.open = false;
      open(node);
    });
  }

  async function join(event) {
    event.preventDefault();
    const node = number.value.trim();
    if (!node) return;
    await attempt(unjoined, "join", async () => {
      await session.rooms.join(node, words.value.trim());
      number.value = words.value = "";
      joining.open = false;
      if (store.groups.isMine(node)) open(node);
    });
  }

  async function attempt(where, context, act) {
    setText(where, "");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(where, explain(context, error.code));
    }
  }

  function item(kind, node) {
    return {
      key: kind + " " + node,
      make: () => {
        const entry = h("button", { type: "button", class: "entry", onclick: () => open(node) });
        return h("li", {}, entry, kind === "mine" ? "" : undo(node, kind));
      },
      update: (li) => fill(li.firstChild, node),
    };
  }

  // Taking a request back, or a block: leaving in either case.
  function undo(node, kind) {
    const steps = stepsView(app, { context: "group", values: () => ({ name: store.groups.nameOf(node) }) });
    const act = kind === "asked" ? "takeback" : "unblock";
    steps.offer([{ name: act, run: () => session.rooms.step("LEAVE", node) }]);
    return steps.element;
  }

  function fill(entry, node) {
    const title = store.groups.nameOf(node);
    const waiting = store.groups.requests(node).length;
    const line = [t(store.groups.isPrivate(node) ? "group.private" : "group.public"),
      waiting ? t("group.waiting", { count: waiting }) : ""].filter(Boolean).join(" · ");
    const seen = JSON.stringify([title, line]);
    entry.setAttribute("aria-current", String(store.state.open === node));
    if (entry.dataset.seen === seen) return;
    entry.dataset.seen = seen;
    entry.replaceChildren(roomFace(node, title), h("span", { class: "who", dir: "auto" }, title),
      h("span", { class: "preview" }, line));
  }

  function update() {
    let count = 0;
    for (const [kind, { part, list }] of sections) {
      const nodes = store.groups.all(kind);
      count += nodes.length;
      part.hidden = !nodes.length;
      setText(part.firstChild, t("groups." + kind) + " · " + nodes.length);
      reconcile(list, nodes.map((node) => item(kind, node)));
    }
    empty.hidden = count > 0;
  }

  function focus(node) {
    const row = [...element.querySelectorAll("li")].find((li) => li.dataset.key.endsWith(" " + node));
    row?.firstChild.focus();
    return Boolean(row);
  }

  return { element, update, focus };
}
