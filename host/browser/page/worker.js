// Runs the policies away from the page, so that one that never ends can be stopped.

import { CATEGORIES } from "./categories.js";
import { Simulator, ownPolicy, readScenario } from "./simulator.js";

const CHANNELS = ["sms", "whatsapp", "voice", "email"];

let own;
let key = null;
let active;
let beside = null;

const calls = {
  /** Loads the page's policy. */
  async load({ bytes, key: given, at }) {
    key = given;
    own = bytes ?? (await ownPolicy());
    active = await Simulator.load({ own, at });
    warmUp(active.anew(at));
    return active.policy;
  },

  /** Begins anew at a moment. */
  reset({ at }) {
    active = active.anew(at);
    beside = beside?.anew(at) ?? null;
    return state();
  },

  /** Lets another policy answer beside the active one. */
  async beside({ bytes, at }) {
    const other = await Simulator.load({ own, policy: bytes, at, make });
    beside = other;
    return other.policy;
  },

  alone() {
    beside = null;
    return state();
  },

  /** Takes a step with both. */
  step({ step }) {
    const trace = explained(active, step);
    const began = performance.now();
    const answer = active.step(step);
    const took = performance.now() - began;
    return { answer, trace, took, other: answerBeside(step), state: state() };
  },

  readScenario({ text }) {
    return readScenario(text);
  },
};

/** The first calls also compile; better now than when somebody waits. */
function warmUp(simulator) {
  for (const body of ["Hello", "STOP!!", "please take me off your list, thank you"]) {
    simulator.inbound({ channel: "sms", body });
    simulator.preflight({ channel: "sms", category: "marketing" });
  }
}

/** Lets the gateway make the bindings of a component that is put together otherwise. */
async function make(bytes) {
  const headers = { "Content-Type": "application/wasm", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const response = await fetch("bindings", { method: "POST", headers, body: bytes }).catch(() => null);
  if (!response?.ok) {
    const problem = await response?.json().catch(() => null);
    throw new Error(
      problem?.detail && response.status !== 404 ? problem.detail
        : "this component is put together otherwise than those of \"consentry policy build\", and only a " +
          "gateway can make bindings for it: open the simulator of one, or run \"consentry simulator export\" " +
          "with --policy",
    );
  }
  const script = URL.createObjectURL(new Blob([await response.text()], { type: "text/javascript" }));
  try {
    return (await import(script)).instantiate;
  } finally {
    URL.revokeObjectURL(script);
  }
}

/** The rules that were tried; asking for them may change an answer, so that is asked apart. */
function explained(simulator, step) {
  if (!step.preflight) {
    return null;
  }
  const question = { ...step.preflight, explain: true, dryRun: true };
  const { trace, reasons } = simulator.preflight(question);
  return { trace, reasons };
}

function answerBeside(step) {
  if (!beside) {
    return null;
  }
  try {
    return beside.step(step);
  } catch (error) {
    return { problem: error.message };
  }
}

function state() {
  return { ...seen(active), beside: beside && seen(beside), policy: active.policy };
}

function seen(simulator) {
  const consents = CATEGORIES.map((category) => ({
    category,
    statuses: CHANNELS.map((channel) => simulator.consent({ channel, category }).consentStatus),
  }));
  return {
    now: simulator.now,
    address: simulator.address,
    consents,
    history: simulator.history(),
    lastInbound: simulator.lastInbound(),
  };
}

addEventListener("message", async ({ data: { id, call, given } }) => {
  try {
    postMessage({ id, value: await calls[call](given ?? {}) });
  } catch (error) {
    postMessage({ id, problem: error.message, status: error.status });
  }
});
