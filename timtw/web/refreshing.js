// What the node knows and is asked for again whenever it may have changed, once at a time.
// A subclass has read().
import { ignoreRefusal } from "./questions.js";

export class Refreshing {
  constructor() {
    this.running = null;
    this.again = false; // whether something changed while it was asked for
  }

  // Whoever calls this while it runs gets what is true after the call.
  refresh() {
    this.again = true;
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  async run() {
    try {
      while (this.again) {
        this.again = false;
        await this.read();
      }
    } catch (error) {
      ignoreRefusal(error); // the next login asks again
      this.refused(error);
    }
  }

  // The node does not answer; a subclass may want to know.
  refused(_error) {}
}
