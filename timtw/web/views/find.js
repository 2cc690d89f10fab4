// Finding somebody by the exact name.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";

export function findView(app, { open }) {
  const { store, session } = app;
  const input = h("input", {
    id: "find", name: "find", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    dir: "auto", enterkeyhint: "search", placeholder: t("find.label"), "aria-label": t("find.label"),
    "aria-describedby": "find-answer",
  });
  const button = h("button", { type: "submit", class: "main" }, t("find.button"));
  const answer = h("p", { class: "problem", id: "find-answer", role: "alert" });
  const element = h("form", { class: "find", role: "search", onsubmit: find },
    h("div", { class: "row" }, input, button), answer);

  async function find(event) {
    event.preventDefault();
    const name = input.value.trim();
    if (!name || button.getAttribute("aria-disabled") === "true") return;
    busy(true);
    setText(answer, "");
    try {
      found(name, await session.questions.find(name));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(answer, explain("find", error.code));
    } finally {
      busy(false);
    }
  }

  function found(name, node) {
    if (node && node !== store.me) {
      input.value = "";
      open(node);
      return;
    }
    setText(answer, node ? t("find.self") : t("find.none", { name }));
    input.select();
  }

  function busy(value) {
    button.setAttribute("aria-disabled", String(value));
    setText(button, t(value ? "find.busy" : "find.button"));
  }

  return { element, focus: () => input.focus() };
}
