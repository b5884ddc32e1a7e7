// What an answer means, in words.

import { channelName } from "./dom.js";

const INTENTS = {
  "opt-out": "an opt-out",
  "opt-in": "an opt-in",
  help: "a call for help",
  "answer-yes": "a yes to the open question",
  "answer-no": "a no to the open question",
  "wrong-number": "word that the number is somebody else's",
  person: "a wish for a person",
  other: "something else",
};
const ROUTES = {
  disconnect: "the conversation ends",
  bot: "the assistant goes on",
  agent: "a person answers",
  "priority-agent": "a person answers at once",
  send: "it goes",
  "silent-failure": "it is dropped silently",
  "internal-alert": "it is dropped, and your people are told",
};
const REASONS = {
  allowed: "nothing is against it",
  opted_out: "the person opted out",
  no_consent: "there is no opt-in",
  no_written_consent: "there is no opt-in with a record of it",
  unknown_category: "the rules know no such category",
  no_opt_in_evidence: "a WhatsApp template needs an opt-in with proof",
  window_closed: "the WhatsApp window is closed",
  template_paused: "WhatsApp delivers no such templates there",
  provider_backoff: "the platform asked to leave the contact alone",
  quiet_hours: "these are quiet hours where the person may be",
  frequency_cap: "as many messages as may go have gone",
  confirmation_too_late: "it is too late to confirm the opt-out",
  not_newest_opt_out: "that was not the newest opt-out",
  already_answered: "that has its answer already",
  policy_failed: "the policy gave no answer",
};
const STATUSES = { OPTIN: "opted in", OPTOUT: "opted out", NONE: "says nothing" };

export const reason = (code) => REASONS[code] ?? code;
export const route = (name) => ROUTES[name] ?? name;

/** One sentence about a step and its answer. */
export function sentence({ step, answer }) {
  if (step.inbound && answer.intent) {
    const said = step.inbound.body || step.inbound.selection?.title;
    const review = answer.review ? ", and a person looks at it" : "";
    return `“${shortened(said)}” is ${INTENTS[answer.intent]}: ${ROUTES[answer.route]}${review}.`;
  }
  if (step.preflight) {
    const what = `${step.preflight.category ?? "A message"} by ${channelName(step.preflight.channel)}`;
    return answer.allowed
      ? `${capital(what)} goes: ${reason(answer.reason)}.`
      : `${capital(what)} does not go: ${reason(answer.reason)}; ${route(answer.route)}.`;
  }
  if (step.report) {
    const refused = answer.refused ? "; it does not lift the person's own opt-out" : "";
    return `Reported: the contact ${STATUSES[step.report.status]}${refused}.`;
  }
  if (step.wait) {
    return `${step.wait} later.`;
  }
  return step.at ? "It is another time." : "The contact is another one.";
}

export function shortened(text, length = 60) {
  const characters = [...(text ?? "")];
  return characters.length > length ? `${characters.slice(0, length).join("")}…` : text;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A moment by the clock of a time zone. */
export function clock(moment, zone, options = { dateStyle: "medium", timeStyle: "short" }) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { ...options, hourCycle: "h23", timeZone: zone })
    .format(new Date(moment));
}
