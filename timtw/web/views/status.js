// The line that tells when the page is not connected, and what it does about it.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";

const TICK_MS = 500;
const GRACE_MS = 800; // a connection that is back by then was not worth a word

export function statusView(app) {
  const { session, store } = app;
  const text = h("span", {});
  const retry = h("button", { type: "button", class: "small", onclick: () => session.link.hurry() },
    t("status.now"));
  const element = h("div", { class: "status", id: "status", hidden: true }, text, retry);
  let since = Date.now();
  let said = "";

  function sentence() {
    const { link, refusal, phase } = session;
    if (link.phase === "waiting") {
      const seconds = Math.max(1, Math.ceil((link.retryAt - Date.now()) / 1000));
      if (!refusal) return t("status.waiting", { seconds });
      return t("status.refused", { reason: explain("status", refusal), seconds });
    }
    return t(phase === "catching-up" ? "status.catching-up" : "status.connecting");
  }

  function update() {
    const live = session.phase === "live";
    if (live) since = 0;
    else since ||= Date.now();
    const trouble = !live && (session.link.phase === "waiting" || Date.now() - since > GRACE_MS);
    const full = live && store.slot.full;
    element.hidden = !trouble && !full;
    retry.hidden = session.link.phase !== "waiting";
    const shown = trouble ? sentence() : full ? t("status.full") : "";
    setText(text, shown);
    const kind = trouble ? session.link.phase : String(full);
    if (shown && kind !== said) app.say(shown);
    said = shown ? kind : "";
  }

  const timer = setInterval(update, TICK_MS);
  return { element, update, close: () => clearInterval(timer) };
}
