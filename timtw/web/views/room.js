// About a group: its number, who is in it, who wants to be, and what we can do about it.
import { h, reconcile, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";
import { MOST_SHOWN } from "../rooms.js";
import { memberRow, requestRow } from "./members.js";
import { stepsView } from "./steps.js";

export function roomView(app, node, { closed }) {
  const { store, session } = app;
  const { groups } = store;
  const values = () => ({ name: groups.nameOf(node) });
  const number = h("dd", { class: "number" }, node);
  const kind = h("dd", {});
  const problem = h("p", { class: "problem", role: "alert" });
  const topic = h("input", { id: "room-topic", dir: "auto", autocomplete: "off", maxlength: 80 });
  const rename = h("form", { class: "fields", onsubmit: change },
    h("label", { for: "room-topic" }, t("group.name")),
    h("div", { class: "row" }, topic, h("button", { type: "submit", class: "main" }, t("you.save"))));
  const wanted = h("input", { id: "pull-in", autocomplete: "off", autocapitalize: "none", dir: "auto",
    placeholder: t("find.label"), "aria-label": t("group.pull") });
  const pull = h("form", { class: "fields", onsubmit: pullIn },
    h("label", { for: "pull-in" }, t("group.pull")),
    h("div", { class: "row" }, wanted, h("button", { type: "submit", class: "main" }, t("group.pull.button"))));
  const lists = {
    requests: part("group.requests", "requests"), members: part("group.members", "members"),
    barred: part("group.barred", "barred"),
  };
  const steps = stepsView(app, { context: (name) => (name === "dissolve" ? name : "group"), values });
  const element = h("section", { class: "about", id: "about", hidden: true, onkeydown: escape },
    h("dl", {}, h("dt", {}, t("group.number")), number, h("dt", {}, t("group.kind")), kind),
    problem, ...Object.values(lists).map(({ section }) => section), pull, rename, steps.element);
  let looked = false;

  function part(title, name) {
    const list = h("ul", { class: "people rows", "data-people": name });
    const heading = h("h3", {}, t(title));
    return { section: h("section", {}, heading, list), list, heading, title };
  }

  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    closed();
  }

  async function attempt(act) {
    setText(problem, "");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(problem, explain("group", error.code, values()));
    }
  }

  function change(event) {
    event.preventDefault();
    const name = topic.value.trim();
    if (name) attempt(() => session.rooms.change(node, { topic: name }));
  }

  function pullIn(event) {
    event.preventDefault();
    const login = wanted.value.trim();
    if (!login) return;
    attempt(async () => {
      const found = await session.questions.find(login);
      if (!found) setText(problem, t("find.none", { name: login }));
      else await session.rooms.step("PULL_IN", node, found);
      if (found) wanted.value = "";
    });
  }

  function choices() {
    const role = groups.role(node);
    const step = (name, which, ask = true) => ({ name, ask, look: "danger", run: () => session.rooms.step(which, node) });
    if (role === "founder") return [step("dissolve", "DISSOLVE")];
    if (role) return [step("leave", "LEAVE"), step("blockgroup", "BLOCK")];
    return groups.known[node]?.blocked ? [step("unblock", "LEAVE", false)] : [];
  }

  function update() {
    if (element.hidden) {
      looked = false;
      if (session.rooms.shown === node) session.rooms.shown = null;
      return;
    }
    session.rooms.shown = node;
    if (!looked && session.phase === "live" && groups.isMine(node)) {
      looked = true;
      attempt(() => session.rooms.look(node));
    }
    element.setAttribute("aria-label", t("about.title", values()));
    setText(kind, t(groups.isPrivate(node) ? "group.private" : "group.public"));
    const decides = groups.administrates(node);
    rename.hidden = !decides;
    if (document.activeElement !== topic) topic.value = groups.known[node]?.topic ?? "";
    pull.hidden = !(decides || (groups.isMine(node) && !groups.isPrivate(node)));
    show(lists.requests, decides ? groups.requests(node).map(([one]) => one) : [], requestRow);
    const members = groups.isMine(node) ? inOrder(session.rooms.first(node)) : [];
    show(lists.members, members, memberRow, session.rooms.members.get(node)?.length);
    show(lists.barred, decides ? session.rooms.barred.get(node) ?? [] : [], memberRow);
    steps.offer(choices());
  }

  function inOrder(nodes) {
    const key = (one) => (groups.role(node, one) === "member" ? 1 : 0);
    const name = (one) => store.people.nameOf(one);
    return [...nodes].sort((a, b) => key(a) - key(b) || name(a).localeCompare(name(b)));
  }

  function show({ section, list, heading, title }, nodes, row, count = nodes.length) {
    section.hidden = !nodes.length;
    setText(heading, t(title) + " · " + count);
    reconcile(list, nodes.slice(0, MOST_SHOWN).map((one) => row(app, node, one, list.dataset.people)));
  }

  return { element, update };
}
