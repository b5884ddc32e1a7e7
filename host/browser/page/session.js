// What was played so far, and the worker that plays it.

/** How long a policy may take for what a gateway gives it a tenth of a second. */
const PATIENCE = 3000;
/** Another policy has to be compiled, and the gateway may have to make its bindings. */
const COMPILING = 15000;
/** The page's own policy has to be fetched, too. */
const LOADING = 60000;

export class Session {
  #worker;
  #waiting = new Map();
  #number = 0;
  #given = {};
  #listeners = [];
  steps = [];
  beside = null;

  constructor(at) {
    this.begin = at;
    this.#start();
  }

  /** Calls back with every step that was taken, or with null when all was played anew. */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  #start() {
    this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.problem !== undefined) {
        waiting?.reject(Object.assign(new Error(data.problem), { status: data.status }));
      } else {
        waiting?.resolve(data.value);
      }
    });
    this.#worker.addEventListener("error", () => {
      this.#give(new Error("the simulator could not be started; load the page again"));
    });
  }

  #give(error) {
    for (const { reject } of this.#waiting.values()) {
      reject(error);
    }
    this.#waiting.clear();
  }

  async #call(call, given = {}, patience = PATIENCE) {
    const id = (this.#number += 1);
    let timer;
    const answered = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      timer = setTimeout(() => reject(new Late()), patience);
      this.#worker.postMessage({ id, call, given });
    });
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Loads the active policy; without bytes, the one that stands beside the page. */
  async load(bytes = null, key = null) {
    this.#given = { bytes, key };
    this.policy = await this.#call("load", { ...this.#given, at: this.begin }, LOADING);
    return this.policy;
  }

  /** Takes a step. */
  async step(step) {
    const result = await this.#guarded(() => this.#call("step", { step }));
    const taken = { step, ...result };
    this.steps.push(taken);
    this.#tell(taken);
    return taken;
  }

  /** Takes the last steps back, up to and with the last one that somebody made. */
  async undo(count = 1) {
    await this.replay(this.begin, this.steps.slice(0, -count).map(({ step }) => step));
  }

  /** Plays steps from a moment on. */
  async replay(at, steps) {
    let state = await this.#call("reset", { at });
    const played = [];
    for (const step of steps) {
      played.push({ step, ...(await this.#guarded(() => this.#call("step", { step }))) });
    }
    state = played.at(-1)?.state ?? state;
    Object.assign(this, { begin: at, steps: played, state });
    this.#tell(null);
  }

  /** Lets another policy answer everything, from the beginning, beside the active one. */
  async putBeside(bytes, name) {
    const policy = await this.#guarded(() =>
      this.#call("beside", { bytes, at: this.begin }, COMPILING),
    );
    this.beside = { ...policy, file: name };
    await this.replay(this.begin, this.steps.map(({ step }) => step));
    return policy;
  }

  async takeAway() {
    this.beside = null;
    await this.#call("alone");
    await this.replay(this.begin, this.steps.map(({ step }) => step));
  }

  readScenario(text) {
    return this.#call("readScenario", { text });
  }

  #tell(taken) {
    this.state = this.steps.at(-1)?.state ?? this.state;
    for (const listener of this.#listeners) {
      listener(taken);
    }
  }

  /** A policy that does not end is taken away, and the conversation goes on without it. */
  async #guarded(work) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Late)) {
        throw error;
      }
      this.#worker.terminate();
      this.#give(error);
      this.#start();
      this.beside = null;
      await this.load(this.#given.bytes, this.#given.key);
      await this.replay(this.begin, this.steps.map(({ step }) => step));
      throw new Error("the policy did not answer in time; it was taken away");
    }
  }
}

class Late extends Error {
  constructor() {
    super("the policy takes too long");
  }
}
