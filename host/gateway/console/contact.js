// One contact's file.

import { get } from "./api.js";
import { $, button, element, time, trying } from "./dom.js";

async function show(address, after = 0) {
  const encoded = encodeURIComponent(address);
  const [consent, history] = await Promise.all([
    get(`/consent/${encoded}`),
    get(`/v1/contacts/${encoded}/history?limit=100&after=${after}`).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    }),
  ]);
  if (history === null) {
    $("#contact").replaceChildren(element("p", { class: "empty" }, "Nobody with this address is known."));
    return;
  }
  const rows = (consent.consents ?? []).map((row) =>
    element("tr", {}, element("td", {}, row.channelType), element("td", {}, row.category ?? "in general"), element("td", { class: `status-${row.consentStatus}` }, row.consentStatus), element("td", {}, row.updatedAt ? time(row.updatedAt) : "")),
  );
  const head = ["Channel", "Category", "Status", "Since"].map((title) => element("th", { scope: "col" }, title));
  $("#contact").replaceChildren(
    element("p", {}, `${history.addresses.join(", ")}: `, element("strong", { class: `status-${consent.consentStatus}` }, consent.consentStatus)),
    element("table", {}, element("caption", {}, "Consent"), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
    element("h3", {}, "What was said"),
    ...history.events.map(said),
    ...(history.next === null ? [] : [button("Later ones", trying(() => show(address, history.next)))]),
  );
}

function said(event) {
  const how = event.kind === "inbound" ? `${event.channel} from ${event.address}` : `reported by ${event.actor ?? event.source ?? "somebody"}`;
  const meaning = event.intent ? `Understood as ${event.intent}${event.scope ? ` (${event.scope})` : ""} by ${event.rule}.` : "";
  return element(
    "div",
    { class: "event" },
    element("small", {}, time(event.saidAt), `, ${how}`),
    event.body ? element("p", {}, event.body) : null,
    meaning ? element("small", {}, meaning) : null,
    event.reply ? element("small", {}, `Answered: ${event.reply}`) : null,
  );
}

export function start() {
  $("#find").addEventListener(
    "submit",
    trying(async (event) => {
      event.preventDefault();
      await show($("#address").value.trim());
    }),
  );
}
