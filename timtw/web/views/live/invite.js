// Asking somebody else into a call.
import { h, reconcile } from "../../dom.js";
import { t } from "../../i18n.js";

const MOST_OTHERS = 3;

export function inviteView(app) {
  const { store, session } = app;
  const { calls } = session.together;
  const who = h("select", { id: "invite", "aria-label": t("call.invite") });
  const element = h("form", { class: "row invite", hidden: true, onsubmit: ask }, who,
    h("button", { type: "submit", class: "small" }, t("call.add")));

  function ask(event) {
    event.preventDefault();
    if (who.value) calls.invite(who.value);
  }

  // Whom we may call and who is not in it yet.
  function choices(call) {
    const { people } = store;
    return people.known()
      .filter((node) => node !== store.me && people.mayWrite(node) && !call.peers.has(node))
      .sort((a, b) => people.nameOf(a).localeCompare(people.nameOf(b)));
  }

  function update() {
    const { current: call } = calls;
    const nodes = call?.since && call.peers.size < MOST_OTHERS ? choices(call) : [];
    element.hidden = !nodes.length;
    reconcile(who, [option("", t("call.invite")), ...nodes.map((node) => option(node, store.people.nameOf(node)))]);
  }

  function option(node, name) {
    return { key: node, make: () => h("option", { value: node }, name), update: (one) => (one.label = name) };
  }

  return { element, update };
}
