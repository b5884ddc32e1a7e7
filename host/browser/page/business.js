// What the business does: templates, a list to tap, a campaign with a stale list, consent from elsewhere.

import { h, byId, put, channelName } from "./dom.js";
import { reason } from "./words.js";

const FOOTER = "Reply STOP to end";

/** The messages that can be sent. A service message has no template: it is free-form. */
export const TEMPLATES = [
  { category: "marketing", name: "spring_sale", platform: "marketing", footer: FOOTER,
    text: `Example Inc: 20 % off all trail shoes until Sunday. ${FOOTER}` },
  { category: "promotions", name: "last_sizes", platform: "marketing", footer: FOOTER,
    text: `Example Inc: last sizes of the Ridge 5, today only. ${FOOTER}` },
  { category: "newsletter", name: "june_letter", platform: "marketing", footer: FOOTER,
    text: `Example Inc: five trails for June, new in our letter. ${FOOTER}` },
  { category: "follow-up", name: "back_in_stock", platform: "marketing", footer: FOOTER,
    text: `Example Inc: the Ridge 5 that you asked about is back. ${FOOTER}` },
  { category: "utility", name: "order_shipped", platform: "utility",
    text: "Example Inc: your order 4711 is on its way." },
  { category: "billing", name: "invoice_due", platform: "utility",
    text: "Example Inc: your invoice of $42 is due on Friday." },
  { category: "authentication", name: "login_code", platform: "authentication",
    text: "493 201 is your Example Inc code." },
  { category: "service", text: "Hello, this is Example Inc. How can we help?" },
];

/** A list on WhatsApp that asks for an opt-in. */
export const LIST = {
  text: "Would you like to receive offers on WhatsApp?",
  rows: [
    { id: "yes", title: "Yes, please" },
    { id: "no", title: "No, thanks" },
    { id: "person", title: "Talk to a person" },
  ],
};

/** People on a list that was exported last week. What became of them since, the gateway knows. */
const LIST_OF_LAST_WEEK = [
  { number: "+12125550148", since: "opted in, and never said stop" },
  { number: "+14155550177", since: "said STOP on Tuesday" },
  { number: "+13055550142", since: "opted in, by a report without proof" },
  { number: "+442071838750", since: "never opted in" },
];

function seed() {
  const optIn = (address, evidence) => ({
    report: { address, status: "OPTIN", channel: "sms", category: "marketing", source: "import", ...evidence },
  });
  const worded = (text) => ({ evidence: { timestamp: "2026-01-05T10:00:00Z", text } });
  return [
    optIn("+12125550148", worded("Yes, text me offers from Example Inc.")),
    optIn("+14155550177", worded("Yes, text me offers from Example Inc.")),
    { inbound: { channel: "sms", from: "+14155550177", body: "STOP" } },
    optIn("+13055550142", {}),
  ];
}

/** The step in which a template is sent. */
export function sending(template, channel) {
  const { category, name, platform, text } = template;
  const preflight = { channel, category };
  if (channel === "whatsapp" && platform) {
    preflight.template = { name, category: platform };
  }
  return { preflight, note: text };
}

/** What the next message of the customer answers: the last that went on the channel. */
export function answered(steps, channel, address) {
  const last = steps.findLast(({ step, answer }) =>
    step.preflight?.channel === channel && answer.allowed && (step.preflight.to ?? address) === address);
  const template = TEMPLATES.find(({ text }) => text === last?.step.note);
  if (!template) {
    return {};
  }
  return { lastCategory: template.category, footer: template.footer };
}

/** Lets somebody act as the business. */
export function listen(session, take) {
  const choice = byId("template");
  put(choice, TEMPLATES.map(({ category }, index) =>
    h("option", { value: index }, category === "service" ? "service (free-form)" : category)));
  const preview = () => {
    byId("preview").textContent = TEMPLATES[choice.value].text;
  };
  choice.addEventListener("change", preview);
  preview();
  for (const button of document.querySelectorAll("button[data-send]")) {
    button.addEventListener("click", () => take(sending(TEMPLATES[choice.value], button.dataset.send)));
  }
  byId("ask").addEventListener("click", () =>
    take({ preflight: { channel: "whatsapp", category: "service" }, note: LIST.text }));
  byId("campaign").addEventListener("click", () => campaign(session, TEMPLATES[choice.value], take));
  byId("report").addEventListener("submit", (event) => {
    event.preventDefault();
    take({ report: reported(event.target.elements, session.state.now) });
  });
}

function reported({ status, channel, category, proof }, now) {
  const report = { status: status.value, channel: channel.value, source: "web-form" };
  if (category.value) {
    report.category = category.value;
  }
  if (status.value === "OPTIN" && proof.checked) {
    report.evidence = { timestamp: now, text: "Yes, send me messages from Example Inc." };
  }
  return report;
}

/** Asks for everybody on the list, and shows what becomes of each. */
async function campaign(session, template, take) {
  const channel = "sms";
  const seeded = session.steps.some(({ step }) => step.inbound?.from === "+14155550177");
  for (const step of seeded ? [] : seed()) {
    await take(step, { quiet: true });
  }
  const everybody = [{ number: session.state.address, since: "the contact on this page" }, ...LIST_OF_LAST_WEEK];
  const rows = [];
  const counts = {};
  for (const { number, since } of everybody) {
    const step = sending(template, channel);
    step.preflight.to = number;
    const { answer, other } = await take(step, { quiet: true });
    counts[answer.route] = (counts[answer.route] ?? 0) + 1;
    rows.push(row(number, since, answer, other));
  }
  const table = h("table", {},
    h("caption", {}, `${template.category} by ${channelName(channel)} to a list of last week`),
    h("thead", {}, h("tr", {}, ["Number", "Since then", "Answer"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows));
  put(byId("campaign-result"), table);
  return take(null, { counts });
}

function row(number, since, answer, other) {
  const differs = other && other.reason !== answer.reason;
  return h("tr", { class: differs ? "differs" : null },
    h("td", {}, number),
    h("td", {}, since),
    h("td", {},
      h("span", { class: `verdict ${answer.allowed ? "yes" : "no"}` }, answer.allowed ? "send" : answer.route.replace("-", " ")),
      ` ${reason(answer.reason)}`,
      differs ? h("em", {}, ` · beside: ${reason(other.reason)}`) : null));
}
