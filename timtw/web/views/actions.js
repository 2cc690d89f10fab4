// What can be done about a person, by what they are to us.
import { stepsView } from "./steps.js";

const CHOICES = {
  friend: ["end", "block"],
  asking: ["accept", "decline", "block"],
  asked: ["takeback", "block"],
  blocked: ["unblock"],
  stranger: ["block"],
};
const ASKED_FIRST = new Set(["end", "block"]);
const LOOKS = { accept: "main", end: "danger", block: "danger" };

// `only` leaves out what is not in it.
export function actionsView(app, node, { only = null } = {}) {
  const { store, session } = app;
  const steps = stepsView(app, {
    context: (name) => (name === "accept" ? "ask" : "people"),
    values: () => ({ name: store.people.nameOf(node) }),
  });

  function update() {
    const names = CHOICES[store.people.standing(node)].filter((name) => !only || only.includes(name));
    steps.offer(names.map((name) => ({
      name, look: LOOKS[name], ask: ASKED_FIRST.has(name), run: () => step(name),
    })));
  }

  function step(name) {
    const { relations } = session;
    if (name === "accept") return relations.ask(node);
    return name === "block" ? relations.block(node) : relations.leave(node);
  }

  update();
  return { element: steps.element, update };
}
