// The call or the live room that goes on, beside whatever one reads: pictures of everybody,
// what one can do, and at the end why it is over.
import { h, reconcile, setText } from "../../dom.js";
import { explain, several, t } from "../../i18n.js";
import { inviteView } from "./invite.js";
import { viewersView } from "./viewers.js";

const QUIET_MS = 6_000; // without a picture or sound, after which a line seems lost

// `left()` is called when the focus has to go somewhere else.
export function stageView(app, { left }) {
  const { store, session } = app;
  const { together } = session;
  const { calls, shows } = together;
  const title = h("h2", { dir: "auto" });
  const line = h("p", { class: "hint", role: "status" });
  const tiles = h("ul", { class: "tiles" });
  const mute = h("button", { type: "button", class: "small", "data-do": "mute", onclick: () => turn("speaks") });
  const hide = h("button", { type: "button", class: "small", "data-do": "hide", onclick: () => turn("shows") });
  const join = h("button", { type: "button", class: "small main", "data-do": "join", onclick: () => shows.join() },
    t("live.join"));
  const rest = h("button", { type: "button", class: "small", "data-do": "rest", onclick: () => shows.rest() },
    t("live.rest"));
  const end = h("button", { type: "button", class: "small danger", "data-do": "end", onclick: finish });
  const invite = inviteView(app);
  const viewers = viewersView(app);
  const close = h("button", { type: "button", class: "small", "data-do": "close", onclick: () => together.finished(null) },
    t("close"));
  const element = h("section", { class: "stage", id: "stage", tabindex: "-1", "aria-label": t("stage.label"), hidden: true },
    h("div", { class: "words" }, title, line), tiles,
    h("div", { class: "row wrap does" }, join, rest, mute, hide, invite.element, end, close), viewers.element);

  function finish() {
    if (calls.current) calls.hangUp();
    else shows.leave();
  }

  function turn(what) {
    ours()?.turn(what);
    update();
  }

  function ours() {
    return (calls.current ?? shows.current)?.capture ?? null;
  }

  function update() {
    const { current: call } = calls;
    const { current: show } = shows;
    const held = element.contains(document.activeElement);
    const on = call ?? show;
    element.hidden = !on && !together.over;
    element.classList.toggle("over", !on);
    const { heading, words, ending } = call ? ofCall(call) : show ? ofShow(show) : ofNothing();
    setText(title, heading);
    setText(line, words);
    setText(end, ending);
    reconcile(tiles, on ? [...(call ? peers(call) : screens(show)), ...mine()] : []);
    buttons(call, show);
    invite.update();
    viewers.update();
    if (held && (element.hidden || !document.activeElement?.checkVisibility())) {
      if (element.hidden) left();
      else focus();
    }
  }

  function buttons(call, show) {
    const capture = ours();
    mute.hidden = !capture?.microphone;
    hide.hidden = !capture?.camera;
    setText(mute, t(capture?.speaks === false ? "stage.unmute" : "stage.mute"));
    setText(hide, t(capture?.shows === false ? "stage.unhide" : "stage.hide"));
    join.hidden = !show?.invited || Boolean(show.capture);
    rest.hidden = !show || show.mine || !show.capture;
    end.hidden = !call && !show;
    close.hidden = Boolean(call ?? show);
  }

  function names(nodes) {
    return several(nodes.map((node) => store.people.nameOf(node)));
  }

  function ofCall({ peers: all, since, note }) {
    const seen = [...all.values()].filter(({ way, room }) => way !== "expect" || room);
    const name = names(seen.map(({ node }) => node));
    const ringing = seen[0]?.way === "ring" && !since;
    const lost = [...all.values()].reduce((sum, { dropped }) => sum + dropped, 0);
    const words = [since || ringing ? "" : t("call.connecting"), note ? t(note.say, note.values) : "", dropped(lost)];
    return {
      heading: t(ringing ? "call.ringing" : "call.with", { name }),
      words: words.filter(Boolean).join(" · "), ending: t("call.hangup"),
    };
  }

  function ofShow(show) {
    const name = show.mine ? store.titleOf(show.node) : store.people.nameOf(show.from);
    const count = t("live.viewers", { count: show.viewers.size });
    const invited = show.invited && !show.capture ? t("live.invited", { name }) : "";
    const problem = show.problem ? explain("live", show.problem) : "";
    const words = [show.mine ? count : invited, problem, dropped(show.dropped)];
    return {
      heading: t(show.mine ? "live.mine" : "live.title", { name }),
      words: words.filter(Boolean).join(" · "), ending: t(show.mine ? "live.end" : "live.leave"),
    };
  }

  function ofNothing() {
    const { say, values } = together.over ?? {};
    if (!say) return { heading: "", words: "", ending: "" };
    return { heading: t(say, { ...values, reason: explain("live", values.code ?? 0) }), words: "", ending: "" };
  }

  function dropped(count) {
    return count ? t("stage.dropped", { count }) : "";
  }

  // --- pictures

  function mine() {
    const capture = ours();
    return capture ? [tile("mine", capture.canvas, () => t("stage.you"), () => "", capture)] : [];
  }

  function peers(call) {
    return [...call.peers.values()].filter(({ way, room }) => way !== "expect" || room).map(({ node, screen }) => {
      const state = () => (screen ? quiet(screen) : t("call.coming"));
      return tile(node, screen?.canvas, () => store.people.nameOf(node), state);
    });
  }

  function screens(show) {
    const all = show.mine || show.screens.has(show.from) ? [] : [[show.from, null]];
    return [...all, ...show.screens].map(([node, screen]) => {
      const state = () => (screen ? quiet(screen) : t("stage.waiting"));
      return tile(node, screen?.canvas, () => store.people.nameOf(node), state);
    });
  }

  function quiet(screen) {
    if (Date.now() - screen.heard > QUIET_MS) return t("call.quiet");
    return screen.seen ? "" : t("stage.waiting");
  }

  function tile(key, canvas, name, state, capture) {
    return {
      key,
      make: () => h("li", { class: "tile", "data-node": key }, h("span", { class: "name", dir: "auto" }),
        h("span", { class: "state", role: "status" })),
      update: (li) => {
        if (canvas && canvas.parentNode !== li) {
          li.querySelector("canvas")?.remove();
          canvas.setAttribute("aria-hidden", "true");
          li.prepend(canvas);
        }
        li.classList.toggle("mirror", Boolean(capture?.camera && capture.shows));
        setText(li.querySelector(".name"), name());
        setText(li.querySelector(".state"), state());
      },
    };
  }

  function focus() {
    element.focus();
  }

  return { element, update, focus };
}
