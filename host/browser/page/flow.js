// The drawn flow, and the way that the last message took through it.

import { svg, byId, put } from "./dom.js";

const INBOUND = [
  ["opt-out", "Opt-out", "the conversation ends"],
  ["opt-in", "Opt-in", "consent is recorded"],
  ["help", "Help", "who writes, how to stop"],
  ["bot", "Bot", "the assistant answers"],
  ["agent", "Agent", "a person answers"],
];
const OUTBOUND = [
  ["send", "Send", "the message goes"],
  ["silent-failure", "Silent failure", "dropped, on record"],
  ["internal-alert", "Internal alert", "your people are told"],
];
/** The checks of a pre-flight, and the rules that belong to each. */
const CHECKS = [
  ["Suppression", /^(suppression|preflight\.suppression|floor\.)/],
  ["Consent", /^(consent|category|preflight\.(consent|category|confirmation|help))/],
  ["WhatsApp", /^whatsapp|^template|backoff/],
  ["Quiet hours", /^quiet/],
  ["Frequency", /^frequency/],
];

const OUT_X = 300;
const OUT_WIDTH = 172;

/** Draws the flow. */
export function draw() {
  const drawing = byId("flow");
  const inbound = INBOUND.map(([id, title, what], index) => ({
    id, title, what, x: OUT_X, y: 34 + index * 52,
  }));
  const outbound = OUTBOUND.map(([id, title, what], index) => ({
    id, title, what, x: OUT_X, y: 366 + index * 64,
  }));
  const parts = [heading("Inbound", 4, 22), heading("Outbound", 4, 338)];
  const hear = { x: 4, y: 134, width: 96, height: 48 };
  const decide = { x: 136, y: 126, width: 124, height: 64 };
  const ask = { x: 4, y: 424, width: 96, height: 48 };
  const judge = { x: 136, y: 356, width: 124, height: 188 };
  parts.push(edge("in", hear, decide), edge("out", ask, judge));
  for (const outcome of inbound) {
    parts.push(edge(`in-${outcome.id}`, decide, box(outcome)));
  }
  for (const outcome of outbound) {
    parts.push(edge(`out-${outcome.id}`, judge, box(outcome)));
  }
  parts.push(node("hear", hear, "Customer", "writes"));
  parts.push(node("decide", decide, "First decision", "policy, then floor"));
  parts.push(node("ask", ask, "Business", "wants to send"));
  parts.push(preflight(judge));
  parts.push(...inbound.map((one) => node(`in-${one.id}`, box(one), one.title, one.what)));
  parts.push(...outbound.map((one) => node(`out-${one.id}`, box(one), one.title, one.what)));
  put(drawing, ...parts);
}

function box({ x, y }) {
  return { x, y, width: OUT_WIDTH, height: 44 };
}

function heading(text, x, y) {
  return svg("text", { x, y, class: "lane" }, text);
}

function node(id, { x, y, width, height }, title, what) {
  const middle = x + width / 2;
  return svg("g", { class: "node", "data-node": id },
    svg("rect", { x, y, width, height, rx: 10 }),
    svg("text", { x: middle, y: y + height / 2 - 3, class: "title" }, title),
    svg("text", { x: middle, y: y + height / 2 + 14, class: "what" }, what));
}

function preflight(at) {
  const { x, y, width, height } = at;
  const middle = x + width / 2;
  const checks = CHECKS.map(([title], index) => {
    const top = y + 36 + index * 29;
    return svg("g", { class: "check", "data-check": index },
      svg("rect", { x: x + 8, y: top, width: width - 16, height: 24, rx: 6 }),
      svg("text", { x: x + 18, y: top + 17 }, title),
      svg("text", { x: x + width - 18, y: top + 17, class: "mark" }, ""));
  });
  return svg("g", { class: "node", "data-node": "judge" },
    svg("rect", { x, y, width, height, rx: 10 }),
    svg("text", { x: middle, y: y + 23, class: "title" }, "Pre-flight"), ...checks);
}

function edge(id, from, to) {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2];
  const bend = (x2 - x1) / 2;
  const d = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return svg("path", { d, class: "edge", "data-edge": id });
}

/** Where an answer leads: the names of the outcome, or nothing. */
export function outcome(step, answer) {
  if (step.inbound && answer?.intent) {
    const { intent, route } = answer;
    if (["opt-out", "opt-in", "help"].includes(intent)) {
      return `in-${intent}`;
    }
    return route === "bot" ? "in-bot" : "in-agent";
  }
  return step.preflight && answer?.route ? `out-${answer.route}` : null;
}

/** Lights the way that a message took, and where another policy would have sent it. */
export function light({ step, answer, other, trace }) {
  clear();
  const end = outcome(step, answer);
  if (!end) {
    return;
  }
  const inbound = end.startsWith("in-");
  mark(inbound ? ["hear", "decide", end] : ["ask", "judge", end], "node", "lit");
  mark([inbound ? "in" : "out", end], "edge", "lit");
  const elsewhere = other ? outcome(step, other) : null;
  if (elsewhere && elsewhere !== end) {
    mark([elsewhere], "node", "other");
    mark([elsewhere], "edge", "other");
  }
  if (!inbound) {
    lightChecks(trace?.trace ?? []);
  }
}

/** Lights several outcomes at once, with how many messages each had. */
export function lightMany(counts) {
  clear();
  mark(["ask", "judge"], "node", "lit");
  mark(["out"], "edge", "lit");
  for (const [route, count] of Object.entries(counts)) {
    mark([`out-${route}`], "node", "lit");
    mark([`out-${route}`], "edge", "lit");
    const title = byId("flow").querySelector(`[data-node="out-${route}"] .title`);
    title.dataset.title = title.textContent;
    title.textContent = `${title.textContent}: ${count}`;
  }
}

function lightChecks(trace) {
  CHECKS.forEach(([, rules], index) => {
    const tried = trace.filter(({ rule }) => rules.test(rule));
    const outcomes = tried.map(({ outcome }) => outcome);
    const how = outcomes.includes("block") ? "block" : outcomes.includes("pass") ? "pass" : "skip";
    const check = byId("flow").querySelector(`[data-check="${index}"]`);
    check.classList.add(how);
    check.querySelector(".mark").textContent = { block: "✕", pass: "✓", skip: "–" }[how];
  });
}

function mark(ids, kind, name) {
  for (const id of ids) {
    byId("flow").querySelector(`[data-${kind}="${id}"]`)?.classList.add(name);
  }
}

/** Takes every light away. */
export function clear() {
  for (const element of byId("flow").querySelectorAll(".lit, .other, .block, .pass, .skip")) {
    element.classList.remove("lit", "other", "block", "pass", "skip");
  }
  for (const element of byId("flow").querySelectorAll(".mark")) {
    element.textContent = "";
  }
  for (const element of byId("flow").querySelectorAll("[data-title]")) {
    element.textContent = element.dataset.title;
    delete element.dataset.title;
  }
}
