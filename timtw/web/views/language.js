// The switch between languages.
import { h } from "../dom.js";
import { currentLanguage, LANGUAGES, t } from "../i18n.js";

const TAGS = { en: "en", zh: "zh-CN" };

export function languageSwitch(app) {
  const buttons = Object.entries(LANGUAGES).map(([language, label]) =>
    h("button", {
      type: "button",
      class: "quiet",
      lang: TAGS[language],
      "data-language": language,
      "aria-pressed": String(language === currentLanguage()),
      onclick: () => app.speak(language),
    }, label),
  );
  return h("div", { class: "languages", role: "group", "aria-label": t("language") }, ...buttons);
}
