// Somebody calls: who, and what one can do about it. It lies above the page and stops nothing.
import { h, setText } from "../../dom.js";
import { several, t } from "../../i18n.js";
import { face } from "../face.js";

// `accepted()` is called when the focus has to go to the call.
export function ringingView(app, { accepted }) {
  const { store, session } = app;
  const { calls } = session.together;
  const picture = h("span", {});
  const words = h("p", { class: "lead", id: "ringing-words", dir: "auto" });
  const accept = h("button", { type: "button", class: "main", "data-do": "accept", onclick: () => answer(true) },
    t("call.accept"));
  const decline = h("button", { type: "button", class: "danger", "data-do": "decline", onclick: () => answer(false) },
    t("call.decline"));
  const element = h("section", { class: "ringing", role: "alertdialog", "aria-modal": "false", tabindex: "-1",
    "aria-labelledby": "ringing-words", hidden: true, onkeydown: escape },
    picture, words, h("div", { class: "row" }, accept, decline));
  let shown = null;
  let before = null; // where the focus was

  function answer(yes) {
    if (yes) calls.accept();
    else calls.ringing.decline();
    update();
    if (yes) accepted();
  }

  // Escape declines, and does nothing else.
  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    answer(false);
  }

  function update() {
    const { incoming } = calls;
    const held = element.contains(document.activeElement);
    element.hidden = !incoming;
    if (!incoming) {
      if (held && before?.isConnected) before.focus();
      shown = null;
      return;
    }
    const { id, from, others } = incoming;
    const name = store.people.nameOf(from);
    const more = several(others.map((node) => store.people.nameOf(node)));
    setText(words, t(more ? "call.incoming.others" : "call.incoming", { name, others: more }));
    if (shown === id) return;
    shown = id;
    picture.replaceChildren(face(from, name, null));
    before = document.activeElement;
    if (!before?.value) element.focus(); // who is typing goes on typing
  }

  return { element, update };
}
