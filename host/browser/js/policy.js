// A policy component, called from JavaScript: a fresh instance of it for every call, as in a gateway.

import { Component, shortened } from "./engine.js";

/** The names of `consent-lookup`'s functions, as the bindings call them. */
const LOOKUPS = ["consent", "lastInbound", "lastAdEntry", "backoff", "sent"];

export class Policy {
  #modules;
  #bindings;

  /**
   * Looks into a component and compiles it.
   * @param {Uint8Array} bytes the component
   * @param {{shape: string, instantiate: Function}[]} known bindings, for the shapes they fit
   * @param {(bytes: Uint8Array) => Promise<Function>} make makes bindings for another shape
   */
  static async load(bytes, known, make = cannotMake) {
    const component = Component.read(bytes);
    try {
      const fitting = known.find((one) => one.shape === component.shape);
      const instantiate = fitting?.instantiate ?? (await make(bytes));
      const modules = [];
      for (let index = 0; index < component.modules; index += 1) {
        modules.push(await compiled(component.module(index)));
      }
      const policy = new Policy();
      policy.#modules = modules;
      policy.#bindings = instantiate;
      policy.digest = component.digest;
      policy.shape = component.shape;
      policy.size = bytes.length;
      const { name, version, engine } = policy.call("describe", [], () => undefined);
      policy.name = shortened(name);
      policy.version = shortened(version);
      policy.engine = shortened(engine);
      return policy;
    } finally {
      component.free();
    }
  }

  /** Calls one of the policy's functions. `lookup` answers what it asks of its host. */
  call(name, args, lookup) {
    const answers = LOOKUPS.map((asked) => [asked, (...given) => lookup(asked, given)]);
    const instance = this.#bindings(
      (path) => this.#modules[indexOf(path)],
      { "consentry:policy/consent-lookup": Object.fromEntries(answers) },
      (module, imports) => new WebAssembly.Instance(module, imports),
    );
    return instance[name](...args);
  }
}

/** The bindings name core modules policy.core.wasm, policy.core2.wasm, and so on. */
function indexOf(path) {
  const number = /core(\d*)\.wasm$/.exec(path)[1];
  return number === "" ? 0 : Number(number) - 1;
}

async function compiled(module) {
  try {
    return await WebAssembly.compile(module);
  } catch (error) {
    throw new Error(`this component is damaged: ${error.message}`);
  }
}

async function cannotMake() {
  throw new Error(
    "this component is put together otherwise than those of \"consentry policy build\", and only a gateway " +
      "can make bindings for it. Open the simulator of a gateway, or make one for this policy with " +
      "\"consentry simulator export DIR --policy FILE\"",
  );
}
