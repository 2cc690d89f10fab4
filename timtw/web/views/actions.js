// What can be done about a person: buttons, a question where it cannot be undone, and
// what did not work, said right there.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";

const CHOICES = {
  friend: ["end", "block"],
  asking: ["accept", "decline", "block"],
  asked: ["takeback", "block"],
  blocked: ["unblock"],
  stranger: ["block"],
};
const ASKED_FIRST = new Set(["end", "block"]);
const LOOKS = { accept: "main", end: "danger", block: "danger" };

// `only` leaves out what is not in it; `done()` is called behind what worked.
export function actionsView(app, node, { only = null, done = () => {} } = {}) {
  const { store, session } = app;
  const row = h("div", { class: "row wrap" });
  const ask = h("p", {});
  const sure = h("button", { type: "button", class: "small danger sure" });
  const keep = h("button", { type: "button", class: "small keep", onclick: closeQuestion }, t("act.keep"));
  const question = h("div", { class: "sure-question", role: "group", hidden: true, onkeydown: escape },
    ask, h("div", { class: "row wrap" }, sure, keep));
  const problem = h("p", { class: "problem", role: "alert" });
  const element = h("div", { class: "actions" }, row, question, problem);
  let shown = null;
  let asking = null; // the button whose question is open
  let busy = false;

  function update() {
    const standing = store.people.standing(node);
    if (standing === shown) return;
    shown = standing;
    question.hidden = true;
    const names = CHOICES[standing].filter((name) => !only || only.includes(name));
    row.replaceChildren(...names.map(button));
  }

  function button(name) {
    return h("button", { type: "button", class: "small " + (LOOKS[name] ?? ""), "data-act": name,
      onclick: (event) => chosen(name, event.currentTarget) }, t("act." + name));
  }

  function chosen(name, from) {
    setText(problem, "");
    if (!ASKED_FIRST.has(name)) {
      carryOut(name);
      return;
    }
    asking = from;
    const text = t("act.ask." + name, { name: store.people.nameOf(node) });
    setText(ask, text);
    question.setAttribute("aria-label", text);
    setText(sure, t("act." + name));
    sure.onclick = () => carryOut(name);
    row.hidden = true;
    question.hidden = false;
    keep.focus();
    question.scrollIntoView({ block: "nearest" });
  }

  function closeQuestion() {
    question.hidden = true;
    row.hidden = false;
    asking?.focus();
  }

  // Escape leaves the question and nothing else.
  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    closeQuestion();
  }

  async function carryOut(name) {
    if (busy) return;
    busy = true;
    try {
      await step(name);
      question.hidden = true;
      row.hidden = false;
      app.say(t("act.done." + name, { name: store.people.nameOf(node) }));
      done(name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!question.hidden) closeQuestion();
      const context = name === "accept" ? "ask" : "people";
      setText(problem, explain(context, error.code, { name: store.people.nameOf(node) }));
    } finally {
      busy = false;
    }
  }

  function step(name) {
    const { relations } = session;
    if (name === "accept") return relations.ask(node);
    return name === "block" ? relations.block(node) : relations.leave(node);
  }

  update();
  return { element, update };
}
