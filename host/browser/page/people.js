// Who can be the contact, and where they may be. All numbers are of ranges kept free for examples.

import { h, byId, put } from "./dom.js";

export const PEOPLE = [
  { name: "Ann, San Francisco", phoneNumber: "+14155550123", country: "US", language: "en", shown: "America/Los_Angeles" },
  { name: "Flo, Miami", phoneNumber: "+13055550142", country: "US", language: "es", shown: "America/New_York" },
  { name: "Bob, London", phoneNumber: "+447700900123", country: "GB", language: "en", shown: "Europe/London" },
  { name: "Denis, Paris", phoneNumber: "+33639980123", country: "FR", language: "fr", shown: "Europe/Paris" },
  { name: "Mia, Berlin", phoneNumber: "+4915100000123", country: "DE", language: "de", shown: "Europe/Berlin" },
  { name: "Cleo, São Paulo", phoneNumber: "+5511961234567", country: "BR", language: "pt", shown: "America/Sao_Paulo" },
];

const COUNTRIES = ["US", "CA", "GB", "IE", "FR", "DE", "ES", "IT", "PT", "NL", "BE", "PL", "SE", "BR", "MX", "CO", "AR", "IN", "JP", "AU"];
const LANGUAGES = ["en", "es", "fr", "de", "pt", "it", "nl", "pl", "sv", "tr", "ar", "hi", "ja", "zh", "vi", "ru", "uk"];
const ZONES = [
  "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York", "America/Anchorage",
  "Pacific/Honolulu", "America/Toronto", "America/Sao_Paulo", "America/Mexico_City", "Europe/London",
  "Europe/Paris", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney",
];

/** The settings of somebody, as a scenario has them. */
export function settings({ phoneNumber, country, language, timeZone }) {
  return { phoneNumber, country, language, ...(timeZone ? { timeZone } : {}) };
}

/** The zone by whose clock the page shows the time. */
export function zoneOf(contact) {
  const known = PEOPLE.find(({ phoneNumber }) => phoneNumber === contact.phoneNumber);
  return contact.timeZone ?? known?.shown ?? "UTC";
}

/** Fills the choices, and calls back when somebody else is chosen. */
export function listen(choose) {
  const names = (type) => new Intl.DisplayNames("en", { type });
  const option = (value, text) => h("option", { value }, text);
  put(byId("contact"), PEOPLE.map(({ phoneNumber, name }) => option(phoneNumber, name)));
  put(byId("country"), COUNTRIES.map((code) => option(code, names("region").of(code))));
  put(byId("language"), LANGUAGES.map((code) => option(code, names("language").of(code))));
  put(byId("zone"), option("", "by the number"), ZONES.map((zone) => option(zone, zone.replaceAll("_", " "))));
  byId("contact").addEventListener("change", (event) =>
    choose(settings(PEOPLE.find(({ phoneNumber }) => phoneNumber === event.target.value))));
  for (const id of ["country", "language", "zone"]) {
    byId(id).addEventListener("change", () => choose(settings({
      phoneNumber: byId("contact").value,
      country: byId("country").value,
      language: byId("language").value,
      timeZone: byId("zone").value,
    })));
  }
}

/** Shows who the contact is. A number from a scenario becomes a choice of its own. */
export function show(contact) {
  ensure("contact", contact.phoneNumber);
  ensure("country", contact.country ?? "");
  ensure("language", contact.language ?? "");
  ensure("zone", contact.timeZone ?? "");
  byId("number").textContent = contact.phoneNumber;
}

function ensure(id, value) {
  const choice = byId(id);
  if (![...choice.options].some((option) => option.value === value)) {
    choice.append(h("option", { value }, value || "not known"));
  }
  choice.value = value;
}
