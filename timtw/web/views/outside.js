// At the foot of a group that we are not in.
import { h, setText } from "../dom.js";
import { explain, t } from "../i18n.js";
import { Refused } from "../requests.js";

export function outsideView(app, node, { settled }) {
  const { store, session } = app;
  const lead = h("p", { class: "lead", dir: "auto" });
  const problem = h("p", { class: "problem", role: "alert" });
  const again = h("button", { type: "button", class: "small main", onclick: join });
  const element = h("div", { class: "standing", hidden: true }, lead, problem, h("div", { class: "row" }, again));

  async function join() {
    setText(problem, "");
    try {
      await session.rooms.join(node, "");
      if (store.groups.isMine(node)) settled();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(problem, explain("join", error.code));
    }
  }

  function update() {
    const { mine, asked, blocked } = store.groups.known[node] ?? {};
    const name = store.groups.nameOf(node);
    element.hidden = Boolean(mine);
    setText(lead, t(asked ? "outside.asked" : blocked ? "outside.blocked" : "outside.not", { name }));
    again.hidden = Boolean(asked);
    setText(again, t(store.groups.isPrivate(node) ? "outside.ask" : "group.enter"));
  }

  return { element, update, focus: () => again.focus() };
}
