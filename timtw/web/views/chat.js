// The screen of somebody who is logged in: people on one side, a conversation on the other.
// On a narrow screen one of the two is visible.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { conversationView } from "./conversation.js";
import { profileView } from "./profile.js";
import { ringingView } from "./live/ringing.js";
import { sideView } from "./side.js";
import { stageView } from "./live/stage.js";
import { statusView } from "./status.js";

export function chatScreen(app) {
  const { store } = app;
  const open = (node) => {
    store.open(node);
    update();
    if (node) conversation.focus();
  };
  const profile = profileView(app);
  const status = statusView(app);
  const stage = stageView(app, { left: () => (conversation ?? side).focus() });
  const ringing = ringingView(app, { accepted: stage.focus });
  const side = sideView(app, { open, showProfile: profile.show });
  const welcome = h("div", { class: "welcome" },
    h("img", { src: "icon.svg", alt: "", width: 72, height: 72 }),
    h("h2", {}, t("welcome.title")),
    h("p", {}, t("welcome.text")),
  );
  const pane = h("main", { class: "pane" }, welcome);
  const element = h("div", { class: "chat" },
    h("header", { class: "top-line" }, h("h1", { class: "unseen" }, "timtw"), status.element, ringing.element),
    side.element, stage.element, pane, profile.element,
  );
  let shown = null; // node of the conversation that is built
  let conversation = null;

  function escape(event) {
    if (event.key !== "Escape" || event.isComposing || profile.element.open) return;
    if (shown) leave();
  }

  function leave() {
    const node = shown;
    open(null);
    side.focus(node);
  }

  function update() {
    const node = store.state.open;
    if (node !== shown) {
      shown = node;
      conversation?.close();
      conversation = node ? conversationView(app, node, { leave }) : null;
      pane.replaceChildren(conversation?.element ?? welcome);
      conversation?.begin();
    }
    element.classList.toggle("reading", Boolean(node));
    status.update();
    side.update();
    profile.update();
    ringing.update();
    stage.update();
    conversation?.update();
  }

  document.addEventListener("keydown", escape);
  return {
    element,
    update,
    focus: () => (conversation ?? side).focus(),
    afterLanguage: profile.show,
    close() {
      document.removeEventListener("keydown", escape);
      conversation?.close();
      status.close();
    },
  };
}
