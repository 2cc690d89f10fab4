// One conversation: who it is with, its messages, and where one writes.
import { h, setText } from "../dom.js";
import { t } from "../i18n.js";
import { ignoreRefusal } from "../questions.js";
import { aboutView } from "./about.js";
import { face, roomFace } from "./face.js";
import { messagesView } from "./messages.js";
import { outsideView } from "./outside.js";
import { roomView } from "./room.js";
import { standingView } from "./standing.js";
import { startView } from "./live/start.js";
import { stripView } from "./live/strip.js";

const PAGE = 40; // messages asked for at once
const NEAR = 240; // pixels from the top at which earlier messages are asked for
const STICKY = 80; // pixels from the bottom within which new messages keep one there
const LONGEST_TEXT = 100_000; // bytes of UTF-8; far below what one frame may hold
const encoder = new TextEncoder();

export function conversationView(app, node, { leave }) {
  const { store, session } = app;
  const heading = h("span", { class: "who", dir: "auto" });
  const line = h("span", { class: "preview", dir: "auto" });
  const picture = h("span", {});
  const isRoom = store.groups.isRoom(node);
  const about = (isRoom ? roomView : aboutView)(app, node, { closed: () => turnAbout(false) });
  const standing = (isRoom ? outsideView : standingView)(app, node, { settled: () => focus() });
  const start = startView(app, node);
  const strip = stripView(app, node, { settled: () => focus() });
  const messages = messagesView(app, node, {
    loadEarlier: () => load(oldest()),
    toText: () => focus(),
  });
  const scroller = h("div", { class: "scroller", id: "messages", role: "log", "aria-live": "off",
    tabindex: "0", onscroll: scrolled }, messages.element);
  const text = h("textarea", { id: "text", rows: 1, dir: "auto", onkeydown: key, oninput: typed,
    "aria-describedby": "compose-problem", title: t("compose.hint"), placeholder: t("compose.placeholder") });
  const problem = h("p", { class: "problem", id: "compose-problem", role: "alert" });
  const form = h("form", { class: "composer", onsubmit: submit }, problem,
    h("div", { class: "row" }, text, h("button", { type: "submit", class: "main" }, t("compose.button"))));
  const back = h("button", { type: "button", class: "quiet back", "aria-label": t("back"), onclick: leave }, "‹");
  const peer = h("button", { type: "button", class: "names", id: "peer", "aria-expanded": "false",
    "aria-controls": "about", onclick: () => turnAbout(about.element.hidden) },
    picture, h("span", { class: "lines" }, heading, line),
    h("span", { class: "turn", "aria-hidden": "true" }, "▾"));
  const dropping = h("p", { class: "dropping", hidden: true });
  const element = h("section", { class: "conversation", ondragover: dragged, ondragleave: dragged, ondrop: dragged },
    h("div", { class: "peer" }, back, h("h2", {}, peer), start.element),
    about.element, scroller, strip.element, standing.element, form, dropping);
  const state = { loading: false, failed: false };
  let fetched = false; // since the connection is live
  let atEnd = true;

  const resized = new ResizeObserver(() => {
    if (atEnd) toEnd();
  });

  function turnAbout(open) {
    about.element.hidden = !open;
    peer.setAttribute("aria-expanded", String(open));
    about.update();
    peer.focus();
  }

  // Called when the view is in the document.
  function begin() {
    text.value = store.conversation(node).draft;
    grow();
    resized.observe(scroller);
    update();
    toEnd();
    if (session.phase === "live" && !isRoom) session.questions.askNames([node]).catch(ignoreRefusal);
  }

  async function load(from) {
    if (state.loading || session.phase !== "live") return;
    Object.assign(state, { loading: true, failed: false });
    store.notify();
    try {
      await session.questions.history(node, from, PAGE);
    } catch (error) {
      ignoreRefusal(error);
      state.failed = error.code !== 0;
    } finally {
      state.loading = false;
      store.notify();
    }
  }

  function oldest() {
    return store.messages.sorted(node)[0]?.mid ?? 0;
  }

  // Earlier messages are fetched before one sees that they are missing.
  function scrolled() {
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < STICKY;
    const more = fetched && !state.failed && !store.messages.thread(node).complete;
    if (more && scroller.scrollTop < NEAR) load(oldest());
  }

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    atEnd = true;
  }

  function submit(event) {
    event.preventDefault();
    const written = text.value.trimEnd();
    if (!written.trim()) return;
    if (encoder.encode(written).length > LONGEST_TEXT) {
      setText(problem, t("compose.long"));
      return;
    }
    text.value = "";
    grow();
    atEnd = true;
    session.outbox.write(node, written);
    text.focus();
  }

  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    form.requestSubmit();
    event.preventDefault();
  }

  function typed() {
    setText(problem, "");
    store.setDraft(node, text.value);
    grow();
  }

  // Files may be dropped anywhere on a conversation with one other.
  function dragged(event) {
    const files = start.takes() && event.dataTransfer?.types.includes("Files");
    dropping.hidden = !files || event.type !== "dragover";
    if (!files) return;
    event.preventDefault();
    if (event.type === "drop") start.send(event.dataTransfer.files);
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = text.scrollHeight + "px";
  }

  function update() {
    const live = session.phase === "live";
    if (!live) fetched = false;
    else if (!fetched && !state.loading) {
      fetched = true; // brings the delivered mark as well, however much is known already
      load(0);
    }
    describe();
    form.hidden = !store.mayWrite(node); // before what may put the focus into it
    about.update();
    standing.update();
    start.update();
    strip.update();
    const height = scroller.scrollHeight;
    const kept = scroller.scrollTop;
    const earlier = messages.update(state);
    if (atEnd) toEnd();
    else if (earlier) scroller.scrollTop = kept + scroller.scrollHeight - height;
    if (!state.loading) scrolled();
  }

  function describe() {
    const name = store.titleOf(node);
    const presence = isRoom ? null : session.presence.of(node);
    const key = JSON.stringify([name, presence]);
    if (picture.dataset.key !== key) {
      picture.replaceChildren(isRoom ? roomFace(node, name) : face(node, name, presence));
    }
    picture.dataset.key = key;
    setText(heading, name);
    setText(dropping, t("file.drop", { name }));
    setText(line, isRoom ? lineOfRoom() : lineBelow(name));
    scroller.setAttribute("aria-label", t("thread.label", { name }));
    text.setAttribute("aria-label", t("compose.label", { name }));
  }

  // What stands below the name: how they are, or the name to find, if it differs, and what
  // they are to us.
  function lineBelow(name) {
    const presence = session.presence.of(node);
    if (presence) {
      const status = session.presence.statusOf(node);
      return [t("presence." + presence), status].filter(Boolean).join(" · ");
    }
    const room = store.groups.meetingPlace(node);
    if (room) return t("about.within", { group: store.groups.nameOf(room) });
    const { login = "" } = store.state.people[node] ?? {};
    const standing = store.people.standing(node);
    const plain = standing === "stranger" && store.people.mayWrite(node);
    return [login !== name && login, !plain && t("about." + standing)].filter(Boolean).join(" · ");
  }

  function lineOfRoom() {
    const kind = t(store.groups.isPrivate(node) ? "group.private" : "group.public");
    const waiting = store.groups.requests(node).length;
    return waiting ? `${kind} · ${t("group.waiting", { count: waiting })}` : kind;
  }

  function focus() {
    if (form.hidden) standing.focus();
    else text.focus();
  }

  return { element, begin, update, focus, close: () => resized.disconnect() };
}
