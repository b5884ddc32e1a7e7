// The browser's engine and a gateway give the same answers, in the statutory cases and in conversations
// that are made up.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";

import { conversation } from "./conversations.mjs";
import { exported, serve } from "./gateway.mjs";

const COUNT = Number(process.env.CONVERSATIONS ?? 10_000);
const SEED = Number(process.env.SEED ?? 8);
/** How many are played at the same time: a durable write then costs each less. */
const TOGETHER = 24;

/** What the made-up conversations must come upon, so that they prove something. */
const COME_UPON = [
  "opt-out", "opt-in", "help", "answer-yes", "answer-no", "wrong-number", "person", "other", "allowed", "opted_out",
  "no_consent", "no_opt_in_evidence", "window_closed", "template_paused", "quiet_hours", "frequency_cap",
  "unknown_category", "confirmation_too_late", "not_newest_opt_out",
];
const seen = new Map();

const INBOUND = ["intent", "scope", "review", "rule", "matched", "language", "reply", "route", "priority", "changes", "duplicate"];
const PREFLIGHT = ["allowed", "reason", "retryAt", "route", "reasons", "trace"];
const CONSENT = ["channelType", "category", "consentStatus", "updatedAt"];

const { Simulator } = await import(pathToFileURL(join(exported(), "simulator.js")));
const base = await Simulator.load();

test("the statutory cases", async () => {
  const gateway = await serve();
  const cases = readFileSync(new URL("../../wit/conformance/inbound.tsv", import.meta.url), "utf8")
    .trim().split("\n").slice(1).map((line) => line.split("\t"));
  const now = Date.now();
  for (const [index, [name, channel, body, question]] of cases.entries()) {
    const inbound = { channel, body: body.replaceAll("\\n", "\n"), sentAt: new Date(now - 60_000).toISOString() };
    if (question) inbound.question = question;
    const played = { number: `+1415222${String(index).padStart(4, "0")}`, known: {}, steps: [{ inbound }] };
    assert.equal(await compare(gateway, played, now), 2, name);
  }
  assert.ok(cases.length > 30);
  gateway.stop();
});

test(`${COUNT} conversations that are made up`, async () => {
  const gateway = await serve();
  const now = Date.now();
  let next = 0;
  let answers = 0;
  const play = async () => {
    while (next < COUNT) {
      const index = next;
      next += 1;
      try {
        const compared = await compare(gateway, conversation(index, SEED, now), now);
        answers += compared;
      } catch (error) {
        error.message = `conversation ${index} of seed ${SEED} at ${now}: ${error.message}`;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, play));
  assert.ok(answers > COUNT * 4, `${answers} answers`);
  const missed = COME_UPON.filter((what) => !seen.has(what));
  assert.ok(COUNT < 1000 || missed.length === 0, `never come upon: ${missed.join(", ")}`);
  console.log([...seen].map(([what, count]) => `${what} ${count}`).join(", "));
  console.log(`${answers} answers in ${COUNT} conversations were the same`);
  gateway.stop();
});

/** Plays a conversation in both, and gives how many answers were compared. */
async function compare(gateway, { number, known, steps }, now) {
  const simulator = base.anew(new Date(now).toISOString());
  simulator.contact({ phoneNumber: number, ...known });
  assert.equal(simulator.policy.digest, await digest(gateway));
  const events = { gateway: [], simulator: [] };
  let compared = 0;
  for (const named of steps) {
    const [step, other] = [answering(named, events.simulator), answering(named, events.gateway)];
    const [there, here] = [await ask(gateway, number, known, other), answer(simulator, step)];
    const names = step.inbound ? INBOUND : step.preflight ? PREFLIGHT : CONSENT;
    const shown = JSON.stringify({ number, known, step, steps });
    assert.equal(Boolean(here.problem), Boolean(there.problem), `${shown}: ${there.problem} / ${here.problem}`);
    if (!here.problem) {
      for (const name of names) {
        assert.deepEqual(here[name] ?? null, there[name] ?? null, `${name} of ${shown}`);
      }
      if (there.eventId && !there.duplicate) {
        events.gateway.push(there.eventId);
        events.simulator.push(here.recordedAs ?? here.eventId);
      }
      const what = there.intent ?? there.reason ?? there.consentStatus;
      seen.set(what, (seen.get(what) ?? 0) + 1);
      compared += 1;
    }
  }
  const { consents = [] } = await (await fetch(`${gateway.url}/consent/${number}`)).json();
  const rows = simulator.rows().map(({ channelType, category, consentStatus }) => ({ channelType, category, consentStatus }));
  assert.deepEqual(rows, consents, `what holds after ${JSON.stringify(steps)}`);
  return compared + 1;
}

/** A step in which the event that is answered has its name. */
function answering({ preflight, ...step }, events) {
  const named = preflight?.inReplyTo;
  if (named === undefined) {
    return preflight ? { preflight } : step;
  }
  const event = named === "last" ? events.at(-1) : events[named];
  return { preflight: { ...preflight, inReplyTo: event ?? "nothing" } };
}

/** What the simulator answers. A step that cannot be taken is a problem, as in the gateway. */
function answer(simulator, step) {
  try {
    return simulator.step(step);
  } catch (error) {
    return { problem: error.message };
  }
}

/** What the gateway answers. */
async function ask(gateway, number, known, { inbound, preflight, report }) {
  if (inbound) {
    return post(`${gateway.url}/v1/inbound`, { from: number, ...known, ...inbound });
  }
  if (preflight) {
    const question = { to: number, country: known.country, ...preflight };
    return post(`${gateway.url}/v1/preflight`, question);
  }
  const { status, channel, category, ...body } = report;
  const query = new URLSearchParams({ status, ...(channel ? { channel } : {}), ...(category ? { category } : {}) });
  const answered = await post(`${gateway.url}/consent/${number}?${query}`, body);
  if (answered.status === 409) {
    // The report is on record all the same, and what holds is asked.
    query.delete("status");
    const holds = await (await fetch(`${gateway.url}/consent/${number}?${query}`)).json();
    return { ...holds, eventId: answered.eventId };
  }
  return answered.recordedAs ? answered : { ...answered, eventId: await newest(gateway, number) };
}

/** The newest event of somebody: a report's answer names the statement that decides, which may be another. */
async function newest(gateway, number) {
  const { events } = await (await fetch(`${gateway.url}/v1/contacts/${number}/history?limit=1000`)).json();
  return events.at(-1).eventId;
}

async function post(url, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const answered = await response.json();
  return response.status >= 400 && response.status !== 409 ? { problem: answered.detail } : answered;
}

let active;
async function digest(gateway) {
  active ??= fetch(`${gateway.url}/v1/policies`).then((response) => response.json());
  return (await active).active;
}
