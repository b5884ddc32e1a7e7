// Puts the page together.

import * as business from "./business.js";
import * as flow from "./flow.js";
import * as panels from "./panels.js";
import * as people from "./people.js";
import * as phone from "./phone.js";
import * as share from "./share.js";
import { byId } from "./dom.js";
import { Session } from "./session.js";
import { clock, sentence } from "./words.js";

/** The largest policy that a gateway takes, in bytes. */
const LARGEST_POLICY = 16 << 20;

/** Noon in San Francisco today, so that quiet hours play no part at first. */
function noon() {
  const today = new Date();
  today.setUTCHours(19, 0, 0, 0);
  return today.toISOString();
}

/** The contact has agreed to offers on a web form. */
function agreed(at) {
  const evidence = { timestamp: at, text: "Yes, text me offers from Example Inc. Reply STOP to end." };
  return ["sms", "whatsapp"].map((channel) => ({
    report: { status: "OPTIN", channel, category: "marketing", source: "web-form", evidence },
  }));
}

const session = new Session(noon());
let first = people.settings(people.PEOPLE[0]);

function contact() {
  const changed = session.steps.findLast(({ step }) => step.contact);
  return changed?.step.contact ?? first;
}

function complain(text) {
  byId("message").hidden = false;
  byId("message").firstElementChild.textContent = text;
}

/** Does something that may fail; the page goes on. */
async function trying(work) {
  try {
    return await work();
  } catch (error) {
    complain(error.message);
    return null;
  }
}

async function take(step, { quiet = false, counts = null } = {}) {
  if (!step) {
    flow.lightMany(counts);
    byId("said").textContent = `The campaign: ${Object.entries(counts).map(([route, count]) => `${count} ${route.replace("-", " ")}`).join(", ")}.`;
    return null;
  }
  const taken = await trying(() => session.step(step));
  if (taken && !quiet) {
    byId("message").hidden = true;
    flow.light(taken);
    panels.trace(taken);
    byId("said").textContent = sentence(taken);
  }
  return taken;
}

function say(channel, body) {
  const { address } = session.state;
  return take({ inbound: { channel, body, ...business.answered(session.steps, channel, address) } });
}

function tap({ id, title }, question) {
  return take({ inbound: { channel: "whatsapp", selection: { id, title }, question } });
}

function show() {
  const { state } = session;
  const zone = people.zoneOf(contact());
  byId("clock").textContent = clock(state.now, zone, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  byId("clock").dateTime = state.now;
  byId("utc").textContent = `${zone.split("/").at(-1).replaceAll("_", " ")} · ${clock(state.now, "UTC", { hour: "2-digit", minute: "2-digit" })} UTC`;
  byId("set-clock").value = state.now.slice(0, 16);
  byId("undo").disabled = session.steps.length === 0;
  people.show(contact());
  phone.show(session, zone, tap);
  panels.consent(state);
  panels.evidence(state, zone);
  panels.differences(session);
}

/** Plays a scenario that came from a file or a link. */
async function open(text) {
  const { name, at, contact: who, steps } = await session.readScenario(text);
  first = { ...people.settings(people.PEOPLE[0]), ...who };
  const plain = steps.map(({ expect, ...step }) => step);
  await session.replay(at, [{ contact: first }, ...plain]);
  showLast(name);
}

function showLast(name) {
  const last = session.steps.findLast(({ step }) => step.inbound || step.preflight);
  if (last) {
    flow.light(last);
    panels.trace(last);
    byId("said").textContent = sentence(last);
  } else {
    flow.clear();
    byId("said").textContent = name ?? "A new conversation.";
  }
}

async function anew() {
  const at = noon();
  await session.replay(at, [{ contact: first }, ...agreed(at)]);
  flow.clear();
  byId("said").textContent = "The contact has agreed to offers on a web form. Write as the customer, or send as the business.";
}

async function beside(file) {
  if (file.size > LARGEST_POLICY) {
    throw new Error(`this file has ${file.size.toLocaleString("en")} bytes; a policy has at most ${LARGEST_POLICY.toLocaleString("en")}`);
  }
  await session.putBeside(new Uint8Array(await file.arrayBuffer()), file.name);
  byId("message").hidden = true;
  showLast();
}

function listen() {
  session.onChange(show);
  flow.draw();
  panels.nothing();
  people.listen((who) => take({ contact: who }));
  phone.listen(say, complain);
  business.listen(session, take);
  const on = (id, event, work) => byId(id).addEventListener(event, (fired) => trying(() => work(fired)));
  for (const button of document.querySelectorAll("button[data-wait]")) {
    button.addEventListener("click", () => take({ wait: button.dataset.wait }));
  }
  on("set-clock", "change", ({ target }) => target.value && take({ at: `${target.value}:00Z` }));
  on("undo", "click", async () => {
    await session.undo();
    showLast();
  });
  on("anew", "click", anew);
  on("save", "click", () => share.save(share.scenario(session, first)));
  on("link", "click", async () => {
    const field = byId("shared-link");
    field.value = await share.link(share.scenario(session, first));
    byId("shared").hidden = false;
    field.select();
    await navigator.clipboard?.writeText(field.value).catch(() => {});
  });
  on("open", "change", async ({ target }) => {
    const [file] = target.files;
    target.value = "";
    return file && open(await file.text());
  });
  on("policy-file", "change", async ({ target }) => {
    const [file] = target.files;
    target.value = "";
    return file && beside(file);
  });
  on("take-away", "click", () => session.takeAway());
  byId("message").querySelector("button").addEventListener("click", () => {
    byId("message").hidden = true;
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  addEventListener("dragleave", () => byId("drop").classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    byId("drop").classList.remove("over");
    const [file] = event.dataTransfer.files;
    trying(() => file && (file.name.endsWith(".json") ? file.text().then(open) : beside(file)));
  });
  addEventListener("hashchange", () => trying(fromLink));
}

async function fromLink() {
  const shared = await share.fromAddress();
  if (shared !== null) {
    await open(shared);
  }
  return shared;
}

/** The policy that stands beside the page, with a key where the gateway asks for one. */
async function load() {
  try {
    return await session.load();
  } catch (error) {
    if (error.status !== 401) {
      throw error;
    }
  }
  return new Promise((resolve) => {
    byId("key").hidden = false;
    byId("key").addEventListener("submit", (event) => {
      event.preventDefault();
      trying(async () => {
        const key = byId("key-field").value;
        const response = await fetch("policy.wasm", { headers: { Authorization: `Bearer ${key}` } });
        if (!response.ok) {
          throw new Error("this key is not known here, or lacks the scope read");
        }
        resolve(await session.load(new Uint8Array(await response.arrayBuffer()), key));
        byId("key").remove();
      });
    });
  });
}

listen();
await trying(async () => {
  const policy = await load();
  byId("policy-name").textContent = `${policy.name} ${policy.version}`;
  byId("digest").textContent = policy.digest;
  byId("digest").title = policy.digest;
  if ((await trying(fromLink)) === null) {
    await anew();
  }
  document.documentElement.dataset.ready = "yes";
});
