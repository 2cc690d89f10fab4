// Taking a text away for both sides: a small button on it, and a question below it.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";

// The button for the stored text in `li`; `done` is called when the text is gone.
export function removalButton(app, node, li, { mid, mine }, done) {
  const kind = mine ? (app.store.groups.isRoom(node) ? "revokegroup" : "revoke") : "burn";
  const button = h("button", { type: "button", class: "act", "aria-expanded": "false",
    "aria-label": t(kind + ".label"), title: t(kind + ".label"), onclick: toggle }, "⋯");
  const problem = h("p", { class: "problem", role: "alert" });
  const keep = h("button", { type: "button", class: "small keep", onclick: close }, t("remove.keep"));
  const sure = h("button", { type: "button", class: "small danger sure", onclick: remove },
    t(kind + ".sure"));
  const question = h("div", { class: "removal", role: "group", "aria-label": t(kind + ".ask"),
    onkeydown: escape },
    h("p", {}, t(kind + ".ask")), problem, h("div", { class: "row" }, sure, keep));

  function toggle() {
    if (question.isConnected) close();
    else ask();
  }

  function ask() {
    setText(problem, "");
    li.append(question);
    button.setAttribute("aria-expanded", "true");
    keep.focus();
    question.scrollIntoView({ block: "nearest" });
  }

  function close() {
    question.remove();
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }

  // Escape leaves the question, not the conversation.
  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  }

  async function remove() {
    if (sure.getAttribute("aria-disabled") === "true") return;
    sure.setAttribute("aria-disabled", "true");
    setText(problem, "");
    try {
      await app.session.questions.remove(node, mid, mine);
      app.say(t("remove.done"));
      done();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(problem, explain("remove", error.code));
    } finally {
      sure.setAttribute("aria-disabled", "false");
    }
  }

  return button;
}
