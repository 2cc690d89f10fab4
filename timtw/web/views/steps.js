// Buttons that do something at the node: a question where it cannot be undone, and what
// did not work, said right there.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";

// A choice is {name, run() -> Promise, ask, look}: `act.NAME` is its label, `act.ask.NAME`
// its question if `ask` is true, `act.done.NAME` what is said when it is done. `values()`
// go into these texts, `context` (of a name, if it is a function) explains refusals.
export function stepsView(app, { context, values = () => ({}) }) {
  const row = h("div", { class: "row wrap" });
  const ask = h("p", {});
  const sure = h("button", { type: "button", class: "small danger sure" });
  const keep = h("button", { type: "button", class: "small keep", onclick: closeQuestion }, t("act.keep"));
  const question = h("div", { class: "sure-question", role: "group", hidden: true, onkeydown: escape },
    ask, h("div", { class: "row wrap" }, sure, keep));
  const problem = h("p", { class: "problem", role: "alert" });
  const element = h("div", { class: "actions" }, row, question, problem);
  let shown = "";
  let from = null; // the button whose question is open
  let busy = false;

  // Offers these choices; nothing is rebuilt while they stay the same.
  function offer(choices) {
    const names = choices.map(({ name }) => name).join(" ");
    if (names === shown) return;
    shown = names;
    const held = element.contains(document.activeElement);
    question.hidden = true;
    row.hidden = false;
    row.replaceChildren(...choices.map(button));
    if (held) row.querySelector("button")?.focus();
  }

  function button(choice) {
    return h("button", { type: "button", class: "small " + (choice.look ?? ""), "data-act": choice.name,
      onclick: (event) => chosen(choice, event.currentTarget) }, t("act." + choice.name));
  }

  function chosen(choice, where) {
    setText(problem, "");
    if (!choice.ask) {
      carryOut(choice);
      return;
    }
    from = where;
    const text = t("act.ask." + choice.name, values());
    setText(ask, text);
    question.setAttribute("aria-label", text);
    setText(sure, t("act." + choice.name));
    sure.onclick = () => carryOut(choice);
    row.hidden = true;
    question.hidden = false;
    keep.focus();
    question.scrollIntoView({ block: "nearest" });
  }

  function closeQuestion() {
    const held = question.contains(document.activeElement);
    question.hidden = true;
    row.hidden = false;
    if (!held) return;
    if (from?.isConnected) from.focus();
    else row.querySelector("button")?.focus();
  }

  // Escape leaves the question and nothing else.
  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    closeQuestion();
  }

  async function carryOut({ name, run }) {
    if (busy) return;
    busy = true;
    try {
      await run();
      if (!question.hidden) closeQuestion();
      app.say(t("act.done." + name, values()));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!question.hidden) closeQuestion();
      setText(problem, explain(typeof context === "string" ? context : context(name), error.code, values()));
    } finally {
      busy = false;
    }
  }

  return { element, offer };
}
