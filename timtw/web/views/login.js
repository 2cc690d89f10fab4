// The first screen: log in or register, and why a login ended.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { register } from "../register.js";
import { Refused } from "../requests.js";
import { languageSwitch } from "./language.js";

export function loginScreen(app) {
  const { store } = app;
  const known = store.state.account?.login ?? "";
  let registering = false;
  let busy = false;

  const title = h("h1", { id: "login-title" });
  const name = h("input", {
    id: "name", name: "username", autocomplete: "username", autocapitalize: "none",
    spellcheck: "false", dir: "auto", required: true, value: known,
    "aria-describedby": "login-problem",
  });
  const password = h("input", {
    id: "password", name: "password", type: "password", required: true,
    "aria-describedby": "login-hint login-problem",
  });
  const hint = h("p", { class: "hint", id: "login-hint" });
  const problem = h("p", { class: "problem", id: "login-problem", role: "alert" });
  const button = h("button", { type: "submit", class: "main" });
  const other = h("button", { type: "button", class: "quiet", onclick: () => turn(!registering) });
  const form = h("form", { class: "fields", novalidate: true, onsubmit: submit },
    h("label", { for: "name" }, t("name")), name,
    h("label", { for: "password" }, t("password")), password,
    hint, problem, button,
  );
  const ended = store.state.ended;
  const element = h("main", { class: "login" },
    h("section", { class: "card", "aria-labelledby": "login-title" },
      h("p", { class: "brand" }, h("img", { src: "icon.svg", alt: "", width: 40, height: 40 }),
        h("span", {}, "timtw")),
      h("p", { class: "tagline" }, t("app.tagline")),
      ended ? h("p", { class: "notice", role: "status" }, t("ended." + ended)) : null,
      title, form, other,
    ),
    languageSwitch(app),
  );

  function turn(value) {
    registering = value;
    setText(problem, "");
    password.autocomplete = registering ? "new-password" : "current-password";
    update();
    name.focus();
  }

  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    const login = name.value.trim();
    if (!login || !password.value) {
      setText(problem, t("login.empty"));
      (login ? password : name).focus();
      return;
    }
    busy = true;
    setText(problem, "");
    update();
    try {
      await enter(login, password.value);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(problem, explain(registering ? "register" : "login", error.code));
      (error.code === 4101 ? name : password).select();
    } finally {
      busy = false;
      update();
    }
  }

  async function enter(login, pwd) {
    const fresh = registering;
    if (fresh) {
      await register(login, pwd);
      turn(false); // what fails from here on is the login
    }
    await app.session.login(login, pwd);
    if (fresh) await app.session.questions.setProfile({ name: login });
  }

  function update() {
    const mode = registering ? "register" : "login";
    setText(title, t(mode + ".title"));
    setText(button, t(busy ? mode + ".busy" : mode + ".button"));
    setText(other, t(mode + ".other"));
    setText(hint, registering ? t("register.hint") : "");
    hint.hidden = !registering;
    button.setAttribute("aria-disabled", String(busy));
  }

  password.autocomplete = "current-password";
  return { element, update, focus: () => (known ? password : name).focus() };
}
