// Puts the page together: a slot, a store, a session, and the screen that fits them.
import { applyLanguage, explain, setLanguage, t } from "./i18n.js";
import { ignoreRefusal } from "./questions.js";
import { Session } from "./session.js";
import { claimSlot } from "./slots.js";
import { Store } from "./store.js";
import { chatScreen } from "./views/chat.js";
import { loginScreen } from "./views/login.js";
import { ROOM_NEWS, TOLD } from "./wire.js";

const NEWS_CHARACTERS = 200;
const NEWS = {
  [TOLD.REQUEST]: "news.request",
  [TOLD.FRIENDS]: "news.friends",
  [TOLD.ENDED]: "news.ended",
};

const ROOM_WORDS = {
  [ROOM_NEWS.REQUEST]: "news.letin",
  [ROOM_NEWS.IN]: "news.in",
  [ROOM_NEWS.PULLED_IN]: "news.in",
  [ROOM_NEWS.REJECTED]: "news.rejected",
  [ROOM_NEWS.REMOVED]: "news.removed",
};

class App {
  constructor(store, session) {
    this.store = store;
    this.session = session;
    this.root = document.getElementById("app");
    this.news = document.getElementById("news");
    this.screen = null;
    store.news = (peer, text, from) => {
      const cut = (text ?? "").slice(0, NEWS_CHARACTERS);
      this.say(t("news.from", { name: store.people.nameOf(from), text: cut }));
    };
    store.profileChanged = (node) => session.questions.askNames([node]).catch(ignoreRefusal);
    store.toldOfRoom = (bnType, room, from) => {
      const key = ROOM_WORDS[bnType];
      const name = from ? store.people.nameOf(from) : "";
      if (key) this.say(t(key, { name, group: store.groups.nameOf(room) }));
    };
    session.together.news = (key, values) => this.say(t(key, { ...values, reason: explain("live", values.code ?? 0) }));
    store.told = (bnType, mine, peer) => {
      if (bnType === TOLD.FRIENDS && session.phase === "live") session.presence.greet(peer);
      const key = NEWS[bnType];
      if (key && !mine) this.say(t(key, { name: store.people.nameOf(peer) }));
    };
  }

  // Tells those who hear the page; those who see it see it elsewhere.
  say(text) {
    this.news.textContent = text;
  }

  update() {
    const loggedIn = Boolean(this.store.state.credential && this.store.me);
    if (this.screen?.loggedIn !== loggedIn) this.show(loggedIn);
    this.screen.update();
    const unread = loggedIn ? this.store.totalUnread() : 0;
    const { incoming } = this.session.together.calls;
    if (incoming) document.title = t("call.incoming", { name: this.store.people.nameOf(incoming.from) });
    else document.title = unread ? `(${unread}) timtw` : "timtw";
  }

  show(loggedIn) {
    this.screen?.close?.();
    this.screen = (loggedIn ? chatScreen : loginScreen)(this);
    this.screen.loggedIn = loggedIn;
    this.root.replaceChildren(this.screen.element);
    this.screen.update();
    this.screen.focus();
  }

  // The same screen again in another language; the focus stays on the switch.
  speak(language) {
    setLanguage(language);
    this.show(this.screen.loggedIn);
    this.screen.afterLanguage?.();
    document.querySelector(`[data-language="${language}"]`)?.focus();
  }
}

async function main() {
  applyLanguage();
  const store = new Store(await claimSlot());
  const session = new Session(store);
  const app = new App(store, session);
  store.subscribe(() => app.update());
  document.addEventListener("visibilitychange", () => store.seen());
  session.resume();
  app.update();
}

main();
