// What can be begun in a conversation besides writing: a call, a live room, sending a file.
import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import { icon } from "../../icons.js";

export function startView(app, node) {
  const { store, session } = app;
  const { together } = session;
  const alone = !store.groups.isRoom(node);
  const input = h("input", { type: "file", id: "file", multiple: true, hidden: true, onchange: chosen });
  const buttons = {
    call: alone && button("call", () => together.calls.ring(node)),
    live: button("live", () => together.shows.start(node)),
    file: alone && button("file", () => input.click()),
  };
  const element = h("div", { class: "start", role: "group", "aria-label": t("start.label") },
    ...Object.values(buttons).filter(Boolean), alone ? input : null);

  function button(name, run) {
    return h("button", { type: "button", class: "quiet round", "data-start": name, onclick: () => begin(name, run) },
      icon(name));
  }

  function begin(name, run) {
    if (name !== "file" && together.busy) app.say(t("start.busy"));
    else if (session.phase === "live") run();
  }

  function chosen() {
    send(input.files);
    input.value = "";
  }

  function send(files) {
    if (session.phase === "live") for (const file of files) together.files.offer(node, file);
  }

  // Whether files may be dropped here.
  function takes() {
    return alone && !element.hidden;
  }

  function update() {
    element.hidden = !store.mayWrite(node) || !together.live.offered;
    const name = store.titleOf(node);
    for (const [key, one] of Object.entries(buttons)) {
      if (!one) continue;
      const label = t("start." + key, { name });
      one.setAttribute("aria-label", label);
      one.title = label;
      one.setAttribute("aria-disabled", String(key !== "file" && together.busy));
    }
  }

  return { element, update, send, takes };
}
