// The side with oneself, finding somebody, and the conversations.
import { avatar, h, reconcile, setText } from "../dom.js";
import { explain, moment, t } from "../i18n.js";
import { Refused } from "../requests.js";

export function listView(app, { open, showProfile }) {
  const { store, session } = app;
  const you = h("button", { type: "button", class: "you", id: "you", onclick: showProfile });
  const input = h("input", {
    id: "find", name: "find", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    dir: "auto", enterkeyhint: "search", "aria-describedby": "find-answer",
  });
  const button = h("button", { type: "submit", class: "main" }, t("find.button"));
  const answer = h("p", { class: "problem", id: "find-answer", role: "alert" });
  const empty = h("p", { class: "hint", id: "no-conversations" }, t("list.empty"));
  const list = h("ul", { class: "conversations" });
  const element = h("aside", { class: "side", "aria-label": t("list.title") },
    you,
    h("form", { class: "find", role: "search", onsubmit: find },
      h("label", { for: "find" }, t("find.label")),
      h("div", { class: "row" }, input, button), answer),
    h("nav", { "aria-labelledby": "list-title" },
      h("h2", { id: "list-title" }, t("list.title")), empty, list),
  );

  async function find(event) {
    event.preventDefault();
    const name = input.value.trim();
    if (!name || button.getAttribute("aria-disabled") === "true") return;
    busy(true);
    setText(answer, "");
    try {
      found(name, await session.find(name));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(answer, explain("find", error.code));
    } finally {
      busy(false);
    }
  }

  function found(name, node) {
    if (node && node !== store.me) {
      input.value = "";
      open(node);
      return;
    }
    setText(answer, node ? t("find.self") : t("find.none", { name }));
    input.select();
  }

  function busy(value) {
    button.setAttribute("aria-disabled", String(value));
    setText(button, t(value ? "find.busy" : "find.button"));
  }

  function item([node, entry]) {
    return {
      key: node,
      make: () => h("li", {}, h("button", { type: "button", onclick: () => open(node) })),
      update: (li) => fill(li.firstChild, node, entry),
    };
  }

  // Rebuilds a row only where it changed: its button keeps the focus either way.
  function fill(row, node, entry) {
    const name = store.nameOf(node);
    const [kind, line] = summary(node, entry);
    const seen = JSON.stringify([name, kind, line, entry.time, entry.unread, moment(entry.time)]);
    row.setAttribute("aria-current", String(store.state.open === node));
    if (row.dataset.seen === seen) return;
    row.dataset.seen = seen;
    const unread = h("span", { class: "unread" },
      h("span", { "aria-hidden": "true" }, String(entry.unread)),
      h("span", { class: "unseen" }, t("unread", { count: entry.unread })));
    row.replaceChildren(
      avatar(node, name),
      h("span", { class: "who", dir: "auto" }, name),
      h("span", { class: "when" }, entry.time ? moment(entry.time) : ""),
      h("span", { class: "preview " + kind, dir: "auto" }, line),
      entry.unread ? unread : "",
    );
  }

  function summary(node, { draft, preview }) {
    const waiting = store.state.outbox.filter(({ peer }) => peer === node).at(-1);
    if (waiting?.state === "failed") return ["bad", t("list.unsent", { text: waiting.text })];
    if (waiting) return ["", t("list.you", { text: waiting.text })];
    if (draft && store.state.open !== node) return ["draft", t("list.draft", { text: draft })];
    if (!preview) return ["", t("list.new")];
    const text = preview.text ?? t("message.other");
    return ["", preview.mine ? t("list.you", { text }) : text];
  }

  function update() {
    const name = store.nameOf(store.me);
    if (you.dataset.name !== name) {
      you.dataset.name = name;
      you.replaceChildren(avatar(store.me, name),
        h("span", { class: "who", dir: "auto" }, name),
        h("span", { class: "preview" }, t("you.settings")));
    }
    const entries = Object.entries(store.state.conversations);
    entries.sort(([, a], [, b]) => b.time - a.time);
    empty.hidden = entries.length > 0;
    list.hidden = !entries.length;
    reconcile(list, entries.map(item));
  }

  function focus(node) {
    const row = [...list.children].find((li) => li.dataset.key === node);
    (row?.firstChild ?? input).focus();
  }

  return { element, update, focus };
}
