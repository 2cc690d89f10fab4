// The side: oneself, finding somebody, and either the conversations or the people.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { contactsView } from "./contacts.js";
import { face } from "./face.js";
import { findView } from "./find.js";
import { groupsView } from "./groups.js";
import { listView } from "./list.js";
import { tabsView } from "./tabs.js";

export function sideView(app, { open, showProfile }) {
  const { store, session } = app;
  const you = h("button", { type: "button", class: "you", id: "you", onclick: showProfile });
  const find = findView(app, { open });
  const list = listView(app, { open });
  const contacts = contactsView(app, { open, toFind: find.focus });
  const groups = groupsView(app, { open });
  const panels = { chats: list, people: contacts, groups };
  const tabs = tabsView(t("side.label"), [
    { name: "chats", label: t("tab.chats"), panel: list.element, count: unread },
    { name: "people", label: t("tab.people"), panel: contacts.element, count: requests },
    { name: "groups", label: t("tab.groups"), panel: groups.element, count: waiting },
  ], choose);
  const element = h("aside", { class: "side", "aria-label": t("side.label") },
    you, find.element, tabs.element, list.element, contacts.element, groups.element);

  function unread() {
    return { number: store.unreadTexts(), words: "unread" };
  }

  function requests() {
    return { number: store.people.all("asking").length, words: "people.waiting" };
  }

  function waiting() {
    return { number: store.groups.waiting(), words: "people.waiting" };
  }

  function choose(name) {
    store.state.tab = name;
    if (name === "groups" && session.phase === "live") session.rooms.refresh();
    store.commit();
  }

  function update() {
    const name = store.people.nameOf(store.me);
    const { mine, offered } = session.presence;
    const { status } = store.state.presence;
    const seen = JSON.stringify([name, mine, offered, status]);
    if (you.dataset.seen !== seen) {
      you.dataset.seen = seen;
      const line = [t("presence." + mine), status].filter(Boolean).join(" · ");
      you.replaceChildren(face(store.me, name, offered ? mine : null),
        h("span", { class: "who", dir: "auto" }, name),
        h("span", { class: "preview", dir: "auto" }, offered ? line : t("you.settings")),
        h("span", { class: "unseen" }, t("you.settings")));
    }
    tabs.offer("groups", session.rooms.offered);
    if (!session.rooms.offered && store.state.tab === "groups") store.state.tab = "chats";
    tabs.show(store.state.tab);
    tabs.update();
    panels[store.state.tab].update();
  }

  // The row of somebody if there is one, else where one finds somebody.
  function focus(node) {
    if (!panels[store.state.tab].focus(node)) find.focus();
  }

  return { element, update, focus };
}
