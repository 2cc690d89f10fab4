// Rows of people inside a group: its members, those who want to be, and who is barred.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { face } from "./face.js";
import { stepsView } from "./steps.js";

// Somebody who wants to be let in, with their words.
export function requestRow(app, room, account) {
  return item(app, room, account, () => {
    const words = app.store.state.rooms[room]?.requests[account]?.text ?? "";
    return [words, [choice(app, "letin", "PULL_IN", room, account, { look: "main" }),
      choice(app, "decline", "REJECT", room, account)]];
  });
}

// A member, or somebody who is barred if `kind` says so.
export function memberRow(app, room, account, kind) {
  return item(app, room, account, () => {
    if (kind === "barred") return ["", [choice(app, "unbar", "REMOVE", room, account)]];
    const role = app.store.groups.role(room, account);
    return [role === "member" ? "" : t("group." + role), choices(app, room, account, role)];
  });
}

// What we can do about another member: write to it, and what our own role lets us.
function choices(app, room, account, role) {
  const { groups, people, me } = app.store;
  const mine = groups.role(room);
  if (account === me) return [];
  const found = people.standing(account) === "blocked" ? [] : [write(app, room, account)];
  const mayDecide = mine === "founder" || (groups.administrates(room) && role === "member");
  if (role === "founder" || !mayDecide) return found;
  if (mine === "founder") {
    found.push(manager(app, role === "manager" ? "unmanage" : "manage", room, account),
      choice(app, "handover", "HAND_OVER", room, account, { ask: true, look: "danger" }));
  }
  return [...found, choice(app, "remove", "REMOVE", room, account, { ask: true, look: "danger" }),
    choice(app, "bar", "BAR", room, account, { ask: true, look: "danger" })];
}

// Members of a group write to each other, friends or not.
function write(app, room, account) {
  const run = async () => {
    app.store.meet(account, room);
    app.update();
    app.screen.focus();
  };
  return { name: "write", run };
}

function choice(app, name, step, room, account, more = {}) {
  return { name, ...more, run: () => app.session.rooms.step(step, room, account) };
}

// The founder gives the whole list of managers.
function manager(app, name, room, account) {
  const run = () => {
    const others = (app.store.groups.known[room].managers ?? []).filter((one) => one !== account);
    const managers = name === "manage" ? [...others, account] : others;
    return app.session.rooms.change(room, { managers });
  };
  return { name, run };
}

function item(app, room, account, describe) {
  const { store, session } = app;
  const values = () => ({ name: store.people.nameOf(account), group: store.groups.nameOf(room) });
  return {
    key: account,
    make: () => {
      const steps = stepsView(app, { context: "group", values });
      const li = h("li", {}, h("div", { class: "entry person" }), steps.element);
      li.steps = steps;
      return li;
    },
    update: (li) => {
      const [line, offered] = describe();
      const name = store.people.nameOf(account);
      const presence = session.presence.of(account);
      const you = account === store.me ? t("group.you", { name }) : name;
      const seen = JSON.stringify([you, line, presence]);
      if (li.dataset.seen !== seen) {
        li.dataset.seen = seen;
        li.firstChild.replaceChildren(face(account, name, presence),
          h("span", { class: "who", dir: "auto" }, you),
          line ? h("span", { class: "preview whole", dir: "auto" }, line) : "");
        li.firstChild.classList.toggle("single", !line);
      }
      li.steps.offer(offered);
      li.steps.element.hidden = !offered.length;
    },
  };
}
