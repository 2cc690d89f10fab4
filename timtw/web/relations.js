// Friends, requests and blocks. The node knows them; what is kept here is its last word,
// asked for again whenever something has changed, here or on another device.
import { Refreshing } from "./refreshing.js";
import { CIRCLE, STEP } from "./wire.js";

// What an account is to us, and the list of the node that holds it.
const LISTS = {
  asking: CIRCLE.ASKING,
  asked: CIRCLE.ASKED,
  friend: CIRCLE.FRIENDS,
  blocked: CIRCLE.BLOCKED,
};

export class Relations extends Refreshing {
  constructor(store, questions) {
    super();
    this.store = store;
    this.questions = questions;
  }

  async read() {
    const standings = {};
    for (const [standing, rtype] of Object.entries(LISTS)) {
      for (const node of await this.questions.list(rtype)) standings[node] = standing;
    }
    this.store.people.setStandings(standings);
    this.questions.askUnknown();
  }

  // Asks to be friends, or accepts what the other has asked; lifts an own block.
  ask(node, text = "") {
    return this.step(STEP.ASK, node, text);
  }

  // Ends a friendship, takes a request back, declines one, or lifts an own block.
  leave(node) {
    return this.step(STEP.LEAVE, node);
  }

  block(node) {
    return this.step(STEP.BLOCK, node);
  }

  // A refusal may say that something has changed meanwhile: we look in either case.
  async step(rtype, node, reqStr) {
    try {
      await this.questions.business({ rtype, node, reqStr });
    } finally {
      await this.refresh();
    }
  }
}
