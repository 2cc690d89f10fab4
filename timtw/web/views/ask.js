// Asking somebody to be friends, with a few words.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";

const LONGEST = 1024; // bytes of UTF-8 that the node takes
const encoder = new TextEncoder();

export function askForm(app, node) {
  const { store, session } = app;
  const name = store.people.nameOf(node);
  const text = h("input", { id: "ask-text", name: "ask-text", dir: "auto", autocomplete: "off",
    enterkeyhint: "send", placeholder: t("ask.placeholder"),
    "aria-label": t("ask.label", { name }), "aria-describedby": "ask-problem" });
  const button = h("button", { type: "submit", class: "main", id: "ask" }, t("ask.button"));
  const problem = h("p", { class: "problem", id: "ask-problem", role: "alert" });
  const element = h("form", { class: "ask", onsubmit: ask },
    h("div", { class: "row wrap" }, text, button), problem);

  async function ask(event) {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    const words = text.value.trim();
    if (encoder.encode(words).length > LONGEST) {
      setText(problem, t("ask.long"));
      return;
    }
    setText(problem, "");
    button.setAttribute("aria-disabled", "true");
    try {
      await session.relations.ask(node, words);
      app.say(t("act.done.ask", { name: store.people.nameOf(node) }));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(problem, explain("ask", error.code, { name: store.people.nameOf(node) }));
    } finally {
      button.setAttribute("aria-disabled", "false");
    }
  }

  return { element, focus: () => text.focus() };
}
