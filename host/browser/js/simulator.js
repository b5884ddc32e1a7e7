// The simulator: what a gateway does with messages, with a clock that you move. For browsers and Node.

import init, { Simulation, Component, differences, readScenario } from "./engine.js";
import { Policy } from "./policy.js";

let started;

/** Loads what every simulator needs, once. */
async function start() {
  started ??= (async () => {
    await init({ module_or_path: await file("engine_bg.wasm") });
    const { instantiate } = await import("./bindings.js");
    return { instantiate };
  })();
  return started;
}

/** A file beside this one. */
async function file(name) {
  const url = new URL(name, import.meta.url);
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw Object.assign(new Error(`${name}: ${response.status}`), { status: response.status });
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** The bytes of the policy that stands beside this file. */
export async function ownPolicy() {
  return file("policy.wasm");
}

/** The bindings stand beside the policy that they were made for. */
async function known(own) {
  const { instantiate } = await start();
  const component = Component.read(own);
  try {
    return [{ shape: component.shape, instantiate }];
  } finally {
    component.free();
  }
}

export class Simulator {
  #simulation;
  #policy;

  /**
   * A simulator in which nothing has been said.
   * @param {{policy?: Uint8Array, own?: Uint8Array, at?: string, make?: Function}} options
   *   `policy`: the component that decides, instead of the one beside this file (`own`);
   *   `at`: what the clock shows, RFC 3339; now when left out;
   *   `make`: makes bindings for a component that is put together otherwise
   */
  static async load(options = {}) {
    await start();
    const own = options.own ?? (await ownPolicy());
    const policy = await Policy.load(options.policy ?? own, await known(own), options.make);
    return new Simulator(policy, options.at ?? new Date().toISOString());
  }

  constructor(policy, at) {
    this.#policy = policy;
    this.#simulation = new Simulation(at);
  }

  /** Who decides: `digest`, `name`, `version`, `engine`, `size`. */
  get policy() {
    const { digest, name, version, engine, size } = this.#policy;
    return { digest, name, version, engine, size };
  }

  /** The same policy in a world in which nothing has been said. */
  anew(at) {
    return new Simulator(this.#policy, at);
  }

  /** What the clock shows. */
  get now() {
    return this.#simulation.now();
  }

  /** The contact's number. */
  get address() {
    return this.#simulation.address();
  }

  /** Takes one step of a scenario, and gives the answer that a gateway would give. */
  step(step) {
    const begun = this.#simulation.begin(JSON.stringify(step));
    if (!begun.ask) {
      return begun.done;
    }
    let answer;
    try {
      const lookup = (name, args) => this.#simulation.lookup(name, args);
      answer = this.#policy.call(begun.ask, [begun.message], lookup);
    } catch (error) {
      return this.#simulation.fail(`it trapped: ${error.message}`);
    }
    return this.#simulation.finish(answer);
  }

  /** The contact writes. */
  inbound(message) {
    return this.step({ inbound: message });
  }

  /** May this message go? */
  preflight(question) {
    return this.step({ preflight: question });
  }

  /** Somebody reports a change of consent. */
  report(change) {
    return this.step({ report: change });
  }

  /** What holds? */
  consent(question = {}) {
    return this.step({ consent: question });
  }

  /** Who the contact is. */
  contact(settings) {
    return this.step({ contact: settings });
  }

  /** Time passes: `90s`, `5m`, `24h`, `2d`. */
  wait(time) {
    return this.step({ wait: time });
  }

  /** It is another time, RFC 3339. */
  at(moment) {
    return this.step({ at: moment });
  }

  /** Every row of somebody's consent. */
  rows(address = this.address) {
    return this.#simulation.rows(address);
  }

  /** What is on record of somebody, oldest first. */
  history(address = this.address) {
    return this.#simulation.history(address);
  }

  /** When somebody last wrote, and last came from an advertisement, by channel. */
  lastInbound(address = this.address) {
    return this.#simulation.lastInbound(address);
  }

  /**
   * Plays a scenario from its beginning, in this simulator.
   * @param {string} text the scenario, as JSON
   */
  play(text) {
    const { name, at, contact, steps } = readScenario(text);
    this.#simulation = new Simulation(at);
    this.contact(contact ?? {});
    const played = steps.map((step) => {
      try {
        const answer = this.step(step);
        const wrong = step.expect ? differences(JSON.stringify(step.expect), answer) : [];
        return { step, answer, wrong };
      } catch (error) {
        return { step, answer: null, wrong: [error.message] };
      }
    });
    return { name, passed: played.every(({ wrong }) => wrong.length === 0), steps: played };
  }
}

export { readScenario };
