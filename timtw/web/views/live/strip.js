// Above where one writes: who is live in this conversation, and files on their way.
import { h, reconcile, setText } from "../../dom.js";
import { amount, t } from "../../i18n.js";
import { face } from "../face.js";

const CAN = {
  offered: ["take", "refuse"], receiving: ["cancel"], offering: ["cancel"], sending: ["cancel"], checking: ["cancel"],
  done: ["save", "close"],
};
const ENDS = new Set(["done", "refused", "cancelled", "failed"]); // said to those who hear the page

// `settled()` is called when the focus has to go where one writes.
export function stripView(app, node, { settled }) {
  const { store, session } = app;
  const { shows, files } = session.together;
  const list = h("ul", { class: "cards", "aria-label": t("file.label") });
  const element = h("div", { class: "strip", hidden: true }, list);

  function update() {
    const live = session.together.calls.current ? [] : shows.of(node);
    const items = [...live.map(liveItem), ...files.of(node).map(fileItem)];
    const held = element.contains(document.activeElement);
    element.hidden = !items.length;
    reconcile(list, items);
    if (held && !element.contains(document.activeElement)) settled();
  }

  function liveItem({ room, from }) {
    const name = store.people.nameOf(from);
    return {
      key: "live " + room,
      make: () => h("li", { class: "slip live" }, h("span", {}),
        h("div", { class: "lines" }, h("strong", { dir: "auto" }), h("span", { class: "hint" }, t("live.card.hint"))),
        h("button", { type: "button", class: "small main", "data-do": "watch", onclick: () => shows.watch(room) },
          t("live.watch"))),
      update: (li) => {
        const words = t("live.card", { name });
        if (li.querySelector("strong").textContent !== words) li.firstChild.replaceChildren(face(from, name, null));
        setText(li.querySelector("strong"), words);
        li.querySelector("button").setAttribute("aria-disabled", String(session.together.busy));
      },
    };
  }

  function fileItem(one) {
    return {
      key: one.key,
      make: () => h("li", { class: "slip file" },
        h("div", { class: "lines" },
          h("span", { class: "title" }, h("strong", { dir: "auto" }, one.name),
            h("span", { class: "hint" }, amount(one.size))),
          h("progress", { max: Math.max(1, one.size), value: 0, "aria-label": t("file.progress", { name: one.name }) }),
          h("span", { class: "hint" })),
        h("div", { class: "row wrap does" })),
      update: (li) => fill(li, one),
    };
  }

  function fill(li, one) {
    const bar = li.querySelector("progress");
    bar.hidden = !["sending", "receiving", "checking"].includes(one.state);
    bar.value = one.moved;
    const line = li.querySelector(".lines > .hint");
    setText(line, sentence(one));
    line.classList.toggle("problem", one.state === "failed");
    const { state } = li.dataset;
    li.dataset.state = one.state;
    if (state && state !== one.state && ENDS.has(one.state)) app.say(`${one.name}: ${sentence(one)}`);
    const names = CAN[one.state] ?? ["close"];
    const offered = names.filter((name) => name !== "save" || one.blob);
    const does = li.querySelector(".does");
    if (does.dataset.names === offered.join(" ")) return;
    const held = does.contains(document.activeElement);
    does.dataset.names = offered.join(" ");
    does.replaceChildren(...offered.map((name) => button(name, one)));
    if (held) does.querySelector("button").focus();
  }

  function button(name, one) {
    const run = { take: () => files.take(one), refuse: () => files.refuse(one), cancel: () => files.cancel(one),
      save: () => files.save(one), close: () => files.drop(one) }[name];
    return h("button", { type: "button", class: name === "take" ? "small main" : "small", "data-do": name, onclick: run },
      t("file." + name));
  }

  function sentence({ state, mine, moved, size, problem }) {
    const values = { name: store.titleOf(node), moved: amount(moved), size: amount(size) };
    if (state === "failed") return t("file.problem." + problem, values);
    return t(state === "done" && mine ? "file.done.mine" : "file." + state, values);
  }

  return { element, update };
}
