// Who watches our live room, and may show themselves as well if we say so.
import { h, reconcile, setText } from "../../dom.js";
import { t } from "../../i18n.js";
import { face } from "../face.js";

const MOST_SHOWN = 30;

export function viewersView(app) {
  const { store, session } = app;
  const { shows } = session.together;
  const element = h("ul", { class: "rows viewers", hidden: true });

  function update() {
    const show = shows.current;
    const nodes = show?.mine ? [...new Set([...show.hosts, ...show.viewers.keys()])].slice(0, MOST_SHOWN) : [];
    element.hidden = !nodes.length;
    reconcile(element, nodes.map((node) => item(node, show.hosts.has(node))));
  }

  function item(node, isHost) {
    const name = store.people.nameOf(node);
    return {
      key: node,
      make: () => h("li", { class: "entry" }, h("span", { class: "picture" }),
        h("span", { class: "who", dir: "auto" }),
        h("button", { type: "button", class: "small", "data-do": "cohost",
          onclick: () => shows.setHost(node, !shows.current.hosts.has(node)) }),
        h("span", { class: "preview" })),
      update: (li) => {
        const [picture, who, button, words] = li.children;
        if (who.textContent !== name) picture.replaceChildren(face(node, name, null));
        setText(who, name);
        setText(words, t(isHost ? "live.host" : "live.viewer"));
        setText(button, t(isHost ? "live.uncohost" : "live.cohost"));
      },
    };
  }

  return { element, update };
}
