// A dialog about oneself: the name others see, the language, logging out.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";
import { appearView } from "./appear.js";
import { languageSwitch } from "./language.js";

export function profileView(app) {
  const { store, session } = app;
  const appear = appearView(app);
  const login = h("strong", { dir: "auto" });
  const name = h("input", { id: "shown-name", name: "shown-name", dir: "auto", autocomplete: "off",
    maxlength: 80, "aria-describedby": "name-answer" });
  const answer = h("p", { class: "hint", id: "name-answer", role: "status" });
  const logout = h("button", { type: "button", class: "danger", id: "logout", onclick: () => ask(true) },
    t("you.logout"));
  const stay = h("button", { type: "button", class: "quiet", onclick: () => ask(false) },
    t("you.stay"));
  const sure = h("button", { type: "button", class: "danger", id: "logout-sure",
    onclick: () => session.logout() }, t("you.logout"));
  const question = h("div", { class: "question", hidden: true },
    h("p", {}, t("you.sure")), h("div", { class: "row" }, sure, stay));
  const element = h("dialog", { class: "card", "aria-labelledby": "you-title" },
    h("div", { class: "row spread" }, h("h2", { id: "you-title" }, t("you.title")),
      h("button", { type: "button", class: "quiet", onclick: () => element.close() }, t("close"))),
    h("p", {}, t("you.login"), " ", login),
    appear.element,
    h("form", { class: "fields", onsubmit: save },
      h("label", { for: "shown-name" }, t("you.name")),
      h("div", { class: "row" }, name, h("button", { type: "submit", class: "main" }, t("you.save"))),
      answer),
    languageSwitch(app), logout, question,
  );

  async function save(event) {
    event.preventDefault();
    try {
      await session.questions.setName(name.value.trim());
      setText(answer, t("you.saved"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(answer, explain("you", error.code));
    }
  }

  function ask(value) {
    question.hidden = !value;
    logout.hidden = value;
    (value ? stay : logout).focus();
  }

  function show() {
    question.hidden = true;
    logout.hidden = false;
    setText(answer, "");
    appear.show();
    name.value = store.state.people[store.me]?.name ?? "";
    update();
    element.showModal();
    name.focus();
  }

  function update() {
    setText(login, store.state.account.login);
    appear.update();
  }

  return { element, show, update };
}
