// Answers of the node do not name their question: so one question at a time per kind.

const ANSWER_MS = 15_000; // longer than any healthy node needs

// Why a request failed: a code of the protocol, or 0 when there was no answer.
export class Refused extends Error {
  constructor(code) {
    super("refused: " + code);
    this.code = code;
  }
}

export class Lane {
  // `send(question)` writes a question; `stuck()` is called when an answer stays out, after
  // which a late one could be taken for the next: the connection has to be given up.
  constructor(send, stuck) {
    this.send = send;
    this.stuck = stuck;
    this.queue = [];
    this.asked = null;
    this.timer = 0;
  }

  ask(question) {
    return new Promise((resolve, reject) => {
      this.queue.push({ question, resolve, reject });
      this.next();
    });
  }

  next() {
    if (this.asked || !this.queue.length) return;
    this.asked = this.queue.shift();
    if (!this.send(this.asked.question)) {
      this.fail();
      return;
    }
    this.timer = setTimeout(() => this.stuck(), ANSWER_MS);
  }

  answer(value) {
    this.finish()?.resolve(value);
    this.next();
  }

  refuse(code) {
    this.finish()?.reject(new Refused(code));
    this.next();
  }

  // The connection is gone: nothing asked will be answered.
  fail() {
    const failed = [this.finish(), ...this.queue.splice(0)];
    for (const request of failed) request?.reject(new Refused(0));
  }

  finish() {
    clearTimeout(this.timer);
    const asked = this.asked;
    this.asked = null;
    return asked;
  }
}
