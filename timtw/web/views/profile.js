// A dialog about oneself: the name others see, the language, logging out.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";
import { appearView } from "./appear.js";
import { ignoreRefusal } from "../questions.js";
import { languageSwitch } from "./language.js";
import { FIELDS } from "./profilefields.js";

export function profileView(app) {
  const { store, session } = app;
  const appear = appearView(app);
  const login = h("strong", { dir: "auto" });
  const name = h("input", { id: "shown-name", name: "shown-name", dir: "auto", autocomplete: "off",
    maxlength: 80, "aria-describedby": "name-answer" });
  const answer = h("p", { class: "hint", id: "name-answer", role: "status" });
  const inputs = new Map(FIELDS.map(({ name: field, longest }) => [field, h("input", {
    id: "profile-" + field, dir: "auto", autocomplete: "off", maxlength: longest,
    "aria-describedby": "name-answer", oninput: () => (touched = true),
  })]));
  let touched = false; // what is typed is not taken for what the node knows
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
      h("label", { for: "shown-name" }, t("you.name")), name,
      ...FIELDS.flatMap(({ name: field }) => [
        h("label", { for: "profile-" + field }, t("profile." + field)), inputs.get(field)]),
      answer, h("button", { type: "submit", class: "main" }, t("you.save"))),
    languageSwitch(app), logout, question,
  );

  async function save(event) {
    event.preventDefault();
    try {
      await session.questions.setProfile(changes());
      session.presence.profileChanged();
      setText(answer, t("you.saved"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(answer, explain("you", error.code));
    }
  }

  // The name, and what differs of the rest.
  function changes() {
    const bean = known();
    const wanted = { name: name.value.trim() };
    for (const { name: field, read, write } of FIELDS) {
      const text = inputs.get(field).value.trim();
      if (text !== (read(bean) ?? "")) Object.assign(wanted, write(text, bean));
    }
    return wanted;
  }

  function known() {
    return store.people.beans.get(store.me) ?? {};
  }

  function fill() {
    if (touched) return;
    name.value = store.state.people[store.me]?.name ?? "";
    for (const { name: field, read } of FIELDS) inputs.get(field).value = read(known()) ?? "";
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
    touched = false;
    fill();
    if (session.phase === "live") session.questions.askNames([store.me]).then(fill).catch(ignoreRefusal);
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
