// The conversations, the one with the last text first.
import { h, reconcile } from "../dom.js";
import { moment, t } from "../i18n.js";
import { face, roomFace } from "./face.js";

export function listView(app, { open }) {
  const { store, session } = app;
  const empty = h("div", { class: "empty", id: "no-conversations" },
    h("p", { class: "lead" }, t("list.empty")), h("p", { class: "hint" }, t("list.empty.hint")));
  const list = h("ul", { class: "conversations rows" });
  const element = h("div", { class: "panel" }, empty, list);

  // What nobody has written in yet is shown while it is open, or if it is with a new friend
  // or a group.
  function shown([node, entry]) {
    const begun = entry.top || entry.draft || waiting(node);
    const here = store.groups.isMine(node) || store.state.open === node;
    return begun || entry.met || here || session.together.lineOf(node);
  }

  function waiting(node) {
    return store.state.outbox.filter(({ peer }) => peer === node).at(-1);
  }

  function item([node, entry]) {
    return {
      key: node,
      make: () => h("li", {}, h("button", { type: "button", class: "entry", onclick: () => open(node) })),
      update: (li) => fill(li.firstChild, node, entry),
    };
  }

  // Rebuilds a row only where it changed: its button keeps the focus either way.
  function fill(row, node, entry) {
    const name = store.titleOf(node);
    const [kind, line] = summary(node, entry);
    const presence = entry.room ? null : session.presence.of(node);
    const seen = JSON.stringify([name, presence, kind, line, entry.time, entry.unread, moment(entry.time)]);
    row.setAttribute("aria-current", String(store.state.open === node));
    if (row.dataset.seen === seen) return;
    row.dataset.seen = seen;
    row.classList.toggle("news", entry.unread > 0);
    const unread = h("span", { class: "unread" },
      h("span", { "aria-hidden": "true" }, String(entry.unread)),
      h("span", { class: "unseen" }, t("unread", { count: entry.unread })));
    row.replaceChildren(
      entry.room ? roomFace(node, name) : face(node, name, presence),
      h("span", { class: "who", dir: "auto" }, name),
      h("span", { class: "when" }, entry.time ? moment(entry.time) : ""),
      h("span", { class: "preview " + kind, dir: "auto" }, line),
      entry.unread ? unread : "",
    );
  }

  function summary(node, { draft, preview, met, room }) {
    const now = session.together.lineOf(node);
    if (now) return ["draft", t(now)];
    const last = waiting(node);
    if (last?.state === "failed") return ["bad", t("list.unsent", { text: last.text })];
    if (last) return ["", t("list.you", { text: last.text })];
    if (draft && store.state.open !== node) return ["draft", t("list.draft", { text: draft })];
    if (!preview) return ["", t(met && !room ? "list.met" : "list.new")];
    const text = preview.text ?? t("message.other");
    if (preview.mine) return ["", t("list.you", { text })];
    return ["", room ? `${store.people.nameOf(preview.from)}: ${text}` : text];
  }

  function update() {
    const entries = Object.entries(store.state.conversations).filter(shown);
    entries.sort(([, a], [, b]) => b.time - a.time);
    empty.hidden = entries.length > 0;
    list.hidden = !entries.length;
    reconcile(list, entries.map(item));
  }

  function focus(node) {
    const row = [...list.children].find((li) => li.dataset.key === node);
    row?.firstChild.focus();
    return Boolean(row);
  }

  return { element, update, focus };
}
