// About the other side of a conversation: how to find them, and what can be done.
import { h, setText } from "../dom.js";
import { t } from "../i18n.js";
import { actionsView } from "./actions.js";
import { askForm } from "./ask.js";
import { FIELDS } from "./profilefields.js";

// `closed()` is called when it closes by Escape.
export function aboutView(app, node, { closed }) {
  const { store } = app;
  const login = h("dd", { dir: "auto" });
  const found = h("dt", {}, t("about.login"));
  const standing = h("dd", {});
  const told = FIELDS.map(({ name, read }) => ({
    read, title: h("dt", {}, t("about." + name)), text: h("dd", { dir: "auto" }),
  }));
  const actions = actionsView(app, node);
  const ask = h("div", {});
  const element = h("section", { class: "about", id: "about", hidden: true, onkeydown: escape },
    h("dl", {}, found, login, h("dt", {}, t("about.standing")), standing,
      ...told.flatMap(({ title, text }) => [title, text])),
    ask, actions.element);

  // Where strangers may write, this is the place to ask.
  function offersToAsk() {
    return store.people.standing(node) === "stranger" && store.people.mayWrite(node);
  }

  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    closed();
  }

  function update() {
    const name = store.people.nameOf(node);
    element.setAttribute("aria-label", t("about.title", { name }));
    const { login: known = "" } = store.state.people[node] ?? {};
    found.hidden = login.hidden = !known;
    setText(login, known);
    const bean = store.people.beans.get(node) ?? {};
    for (const { read, title, text } of told) {
      setText(text, read(bean) ?? "");
      title.hidden = text.hidden = !text.textContent;
    }
    setText(standing, t("about." + store.people.standing(node)));
    if (offersToAsk() !== Boolean(ask.firstChild)) {
      ask.replaceChildren(...(offersToAsk() ? [askForm(app, node).element] : []));
    }
    actions.update();
  }

  return { element, update };
}
