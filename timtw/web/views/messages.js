// The messages of a conversation as a list: days, texts of both sides, and what is unsent.
import { h, reconcile, setText } from "../dom.js";
import { clock, day, dayKey, explain, t } from "../i18n.js";
import { removalButton } from "./removal.js";

const TOGETHER_MS = 5 * 60_000; // texts of one side closer than this stand together

export function messagesView(app, node, { loadEarlier, toText }) {
  const { store, session } = app;
  const top = h("div", { class: "top" });
  const note = h("p", {});
  const retry = h("button", { type: "button", class: "small", onclick: loadEarlier }, t("thread.retry"));
  top.append(note, retry);
  const list = h("ol", { class: "messages" });
  const element = h("div", { class: "thread" }, top, list);
  const inRoom = store.groups.isRoom(node);
  let first = null; // the earliest message that is shown

  // True when earlier messages came in above what was there.
  function update({ loading, failed }) {
    const stored = store.messages.sorted(node);
    const waiting = store.state.outbox.filter(({ peer }) => peer === node);
    describeTop(loading, failed, stored.length + waiting.length);
    const texts = [...stored, ...waiting.map((one) => ({ ...one, mine: true, from: store.me, waiting: one }))];
    reconcile(list, withDays(texts));
    const before = first;
    first = stored[0]?.mid ?? null;
    return before !== null && first !== null && first < before;
  }

  function describeTop(loading, failed, count) {
    const { complete } = store.messages.thread(node);
    const name = store.titleOf(node);
    let text = "";
    if (failed) text = t("thread.failed");
    else if (complete && count) text = t(inRoom ? "thread.startgroup" : "thread.start", { name });
    else if (complete) text = t(store.mayWrite(node) && !inRoom ? "thread.empty" : "thread.none", { name });
    else if (loading || !count) text = t("thread.loading");
    setText(note, text);
    retry.hidden = !failed;
  }

  function withDays(texts) {
    const items = [];
    let previous = null;
    for (const text of texts) {
      const key = dayKey(text.time);
      const newDay = !previous || dayKey(previous.time) !== key;
      if (newDay) items.push(dayItem(key, text.time));
      const close = !newDay && text.time - previous.time < TOGETHER_MS;
      const together = close && previous.mine === text.mine && previous.from === text.from;
      items.push(textItem(text, together));
      previous = text;
    }
    return items;
  }

  function dayItem(key, time) {
    return {
      key: "day " + key,
      make: () => h("li", { class: "day" }, h("span", {})),
      update: (li) => setText(li.firstChild, day(time)),
    };
  }

  // An own text keeps its element from typing to delivery: its number stays the same.
  function textItem(text, together) {
    return {
      key: text.mine && text.id ? "own " + text.id : "mid " + text.mid,
      make: () => makeText(text),
      update: (li) => {
        li.classList.toggle("together", together);
        describe(li, text);
      },
    };
  }

  function makeText({ mine, from, text }) {
    const named = inRoom && !mine;
    const who = mine ? t("message.you") : store.people.nameOf(from ?? node);
    const body = text === null
      ? h("p", { class: "text other" }, t("message.other"))
      : h("p", { class: "text", dir: "auto" }, text);
    return h("li", { class: mine ? "message mine" : "message theirs" },
      h("div", { class: "bubble" },
        h("span", { class: named ? "author" : "unseen", dir: "auto" }, named ? who : who + ": "), body,
        h("p", { class: "meta" }, h("time", {}), h("span", { class: "state" }))));
  }

  function describe(li, { mine, from, mid, time, waiting }) {
    const author = li.querySelector(".author");
    if (author) setText(author, store.people.nameOf(from));
    if (mid && (mine || !inRoom) && !li.querySelector(".act")) {
      li.querySelector(".meta").prepend(removalButton(app, node, li, { mid, mine }, toText));
    }
    const stamp = li.querySelector("time");
    if (stamp.dataset.time !== String(time)) {
      stamp.dataset.time = time;
      stamp.dateTime = new Date(time).toISOString();
      setText(stamp, clock(time));
    }
    const state = mine ? stateOf(mid, waiting) : "";
    if (li.dataset.state === state && li.dataset.code === String(waiting?.code)) return;
    li.dataset.state = state;
    li.dataset.code = waiting?.code;
    setText(li.querySelector(".state"), state && t("state." + state));
    li.querySelector(".remedy")?.remove();
    if (state === "failed") li.append(remedy(waiting));
  }

  function stateOf(mid, waiting) {
    if (waiting) return waiting.state;
    const { seen, delivered } = store.conversation(node);
    if (mid <= seen) return "read";
    return mid <= delivered ? "delivered" : "sent";
  }

  function remedy({ id, code }) {
    return h("div", { class: "remedy" },
      h("p", { role: "alert" }, explain(inRoom ? "sendgroup" : "send", code, { name: store.titleOf(node) })),
      h("div", { class: "row" },
        h("button", { type: "button", class: "small again", onclick: () => session.outbox.again(id) },
          t("send.again")),
        h("button", { type: "button", class: "small", onclick: () => store.discard(id) },
          t("send.discard"))));
  }

  return { element, update };
}
