// How we appear to our friends: here, away, busy or not at all, and a few words.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { LONGEST_STATUS, SHOW } from "../presence.js";

const CHOICES = [["here", SHOW.HERE], ["away", SHOW.AWAY], ["busy", SHOW.BUSY], ["hidden", SHOW.HIDDEN]];

export function appearView(app) {
  const { store, session } = app;
  const radios = CHOICES.map(([name, show]) => h("input", { type: "radio", name: "show", value: show,
    id: "show-" + name, onchange: save }));
  const choice = h("div", { class: "choice", role: "radiogroup", "aria-labelledby": "appear-title" },
    ...CHOICES.map(([name], index) => h("label", { for: "show-" + name }, radios[index],
      h("span", { class: "dot " + name }), t("presence." + name))));
  const words = h("input", { id: "status-text", name: "status-text", dir: "auto", autocomplete: "off",
    maxlength: LONGEST_STATUS, placeholder: t("appear.placeholder"), "aria-label": t("appear.words") });
  const answer = h("p", { class: "hint", role: "status" });
  const element = h("form", { class: "fields appear", onsubmit: submit },
    h("h3", { id: "appear-title" }, t("appear.title")), choice,
    h("div", { class: "row" }, words, h("button", { type: "submit", class: "main" }, t("appear.button"))),
    answer);

  function submit(event) {
    event.preventDefault();
    save();
  }

  function save() {
    const { value } = radios.find((radio) => radio.checked);
    session.presence.set(Number(value), words.value.trim());
    setText(answer, t(Number(value) === SHOW.HIDDEN ? "appear.hidden" : "appear.done"));
  }

  function show() {
    const { show: shown, status } = store.state.presence;
    for (const radio of radios) radio.checked = Number(radio.value) === shown;
    words.value = status;
    setText(answer, "");
    update();
  }

  function update() {
    const { offered, refusal } = session.presence;
    element.hidden = !offered;
    if (refusal && offered) setText(answer, explain("appear", refusal));
  }

  return { element, show, update };
}
