// At the foot of a conversation: what the two have to settle before, or beside, writing.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { actionsView } from "./actions.js";
import { askForm } from "./ask.js";

// `settled()` is called when the focus has to go where one writes.
export function standingView(app, node, { settled }) {
  const { store } = app;
  const element = h("div", { class: "standing", hidden: true });
  let shown = null;
  let inside = null; // the form or the buttons

  // What there is to say, or null.
  function kind() {
    const standing = store.people.standing(node);
    if (standing === "asking") return standing;
    return store.people.mayWrite(node) ? null : standing;
  }

  function update() {
    const now = kind();
    const { text = "" } = store.state.requests[node] ?? {};
    const key = now && JSON.stringify([now, text, store.people.nameOf(node)]);
    if (key !== shown) build(now, text);
    shown = key;
    inside?.update?.();
  }

  function build(now, text) {
    const held = element.contains(document.activeElement);
    element.hidden = !now;
    inside = null;
    element.replaceChildren();
    if (now) {
      const name = store.people.nameOf(node);
      inside = now === "stranger" ? askForm(app, node) : actionsView(app, node);
      element.append(
        h("p", { class: "lead", dir: "auto" }, t("standing." + now, { name })),
        text ? h("blockquote", { dir: "auto" }, text) : "",
        h("p", { class: "hint" }, t("standing.hint." + now, { name })),
        inside.element);
    }
    if (held && now) focus();
    else if (held) settled();
  }

  function focus() {
    element.querySelector("input, button")?.focus();
  }

  return { element, update, focus };
}
