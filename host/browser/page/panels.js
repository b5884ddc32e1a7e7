// The right side: consent, evidence, the trace of rules, and where another policy answers otherwise.

import { CATEGORIES } from "./categories.js";
import { h, byId, put, CHANNELS, channelName } from "./dom.js";
import { clock, sentence } from "./words.js";

const SHOWN = { OPTIN: ["in", "✓ in"], OPTOUT: ["out", "✕ out"], NONE: ["none", "–"] };

/** The table before anything is known. */
export function nothing() {
  consent({ consents: CATEGORIES.map((category) => ({ category, statuses: CHANNELS.map(() => "NONE") })) });
}

/** The consent by channel and category. */
export function consent({ consents, beside }) {
  put(byId("consent-rows"), consents.map(({ category, statuses }, row) =>
    h("tr", {}, h("th", { scope: "row" }, category), statuses.map((status, column) => {
      const other = beside?.consents[row].statuses[column];
      const [name, text] = SHOWN[status];
      const differs = other && other !== status;
      return h("td", { class: differs ? `${name} differs` : name }, text,
        differs ? h("span", { class: "other-status" }, ` / ${SHOWN[other][1]}`) : null);
    }))));
}

/** What is on record, the newest first. */
export function evidence({ history }, zone) {
  const list = byId("evidence");
  if (!history.length) {
    put(list, h("li", { class: "empty" }, "Nothing is on record yet."));
    return;
  }
  put(list, history.toReversed().map((event) => h("li", {},
    h("div", { class: "event" },
      h("time", { datetime: event.saidAt }, clock(event.saidAt, zone)),
      h("strong", {}, event.kind === "inbound" ? channelName(event.channel) : `reported by ${event.source ?? "somebody"}`)),
    event.body ? h("q", {}, event.body.length > 200 ? `${event.body.slice(0, 200)}…` : event.body) : null,
    event.evidence?.text ? h("q", {}, event.evidence.text) : null,
    h("div", { class: "follows" }, follows(event)))));
}

function follows({ changes, intent, rule }) {
  const said = intent ? `${intent}${rule ? `, ${rule}` : ""}` : "";
  if (!changes.length) {
    return said || "changes nothing";
  }
  const one = ({ channel, category, status }) => `${channelName(channel)}${category ? ` ${category}` : ""}`;
  const kinds = [...new Set(changes.map(({ status }) => status))].map((status) => {
    const where = changes.filter((change) => change.status === status).map(one);
    const all = where.length === CHANNELS.length && changes.every(({ category }) => !category);
    return `${status === "NONE" ? "released" : status} ${all ? "everywhere" : where.join(", ")}`;
  });
  return [said, ...kinds].filter(Boolean).join(" · ");
}

/** How the last message was judged. */
export function trace({ step, answer, trace, took }) {
  const shown = step.inbound ? inbound(answer) : step.preflight ? preflight(answer, trace) : [];
  if (!shown.length) {
    return;
  }
  byId("took").textContent = `answered in ${took < 0.1 ? "less than 0.1" : took.toFixed(1)} ms`;
  put(byId("trace"), shown);
}

function facts(pairs) {
  return h("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function inbound(answer) {
  const { explanation } = answer;
  const rejected = explanation?.rejected ?? [];
  return [
    facts([
      ["Intent", answer.intent],
      ["Scope", answer.scope],
      ["Route", answer.route],
      ["Rule", h("code", {}, answer.rule)],
      ["Words", answer.matched ? h("mark", {}, answer.matched) : null],
      ["Language", answer.language],
      ["Open question", answer.question],
      ["Read as", explanation?.normalised],
      ["Decided by", decidedBy(answer)],
      ["Review", answer.review ? "a person looks at it" : null],
    ]),
    rejected.length ? h("h3", {}, "Rules that did not decide") : null,
    rejected.length ? h("ul", { class: "steps" }, rejected.map(({ rule, matched, why }) => h("li", {},
      h("code", {}, rule), matched ? [" ", h("mark", {}, matched)] : null, ` ${why}`))) : null,
  ].filter(Boolean);
}

function preflight(answer, tried) {
  const marks = { pass: "✓", skip: "–", block: "✕" };
  return [
    facts([
      ["Answer", answer.allowed ? "allowed" : "not allowed"],
      ["Reason", h("code", {}, answer.reason)],
      ["Route", answer.route],
      ["Ask again", answer.retryAt ? clock(answer.retryAt, "UTC") + " UTC" : null],
      ["Decided by", decidedBy(answer)],
    ]),
    h("ol", { class: "steps" }, (tried?.trace ?? []).map(({ rule, outcome }) =>
      h("li", { class: outcome }, h("span", { class: "mark", "aria-hidden": "true" }, marks[outcome]), h("code", {}, rule), ` ${outcome}`))),
  ];
}

function decidedBy({ decidedBy, fault }) {
  const words = { policy: null, floor: "the floor: the policy was looser than the law", fault: `the floor: ${fault}` };
  return words[decidedBy] ?? null;
}

/** What is compared of two answers. */
const COMPARED = ["intent", "scope", "route", "review", "reply", "allowed", "reason", "retryAt", "refused", "decidedBy"];

/** The names of what two answers do not agree on. */
export function disagreement({ answer, other }) {
  if (!other) {
    return [];
  }
  if (other.problem) {
    return [["answer", "given", other.problem]];
  }
  const same = (name) => JSON.stringify(answer[name] ?? null) === JSON.stringify(other[name] ?? null);
  const found = COMPARED.filter((name) => !same(name)).map((name) => [name, answer[name], other[name]]);
  const changes = ({ changes = [] }) => changes.map(({ channel, category, status }) => `${channel} ${category ?? "*"} ${status}`).sort().join(", ");
  if (changes(answer) !== changes(other)) {
    found.push(["changes", changes(answer) || "none", changes(other) || "none"]);
  }
  return found;
}

/** Every step on which two policies do not agree. */
export function differences(session) {
  const panel = byId("beside");
  panel.hidden = !session.beside;
  if (!session.beside) {
    return;
  }
  const { name, version, digest, file } = session.beside;
  put(byId("beside-policy"), h("strong", {}, `${name} ${version}`), ` from ${file}`, h("code", { class: "digest" }, digest));
  const differing = session.steps.map((taken) => [taken, disagreement(taken)]).filter(([, found]) => found.length);
  const count = differing.length;
  byId("differences-count").textContent = count === 0
    ? `Both answer alike in all ${session.steps.length} steps so far.`
    : `They differ in ${count} of ${session.steps.length} steps.`;
  put(byId("differences"), differing.reverse().map(([taken, found]) => h("li", {}, h("p", {}, sentence(taken)),
    h("table", {}, h("thead", {}, h("tr", {}, ["", "active", "beside"].map((title) => h(title ? "th" : "td", title ? { scope: "col" } : {}, title)))),
      h("tbody", {}, found.map(([what, active, other]) => h("tr", {}, h("th", { scope: "row" }, what), h("td", {}, words(active)), h("td", { class: "other-status" }, words(other)))))))));
}

function words(value) {
  return value === null || value === undefined ? "nothing" : String(value);
}
