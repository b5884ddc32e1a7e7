// The console: what happens here, pushed by the gateway.

import { get, key, listen } from "./api.js";
import { $, element, say, time, trying } from "./dom.js";
import * as contact from "./contact.js";
import * as policies from "./policies.js";
import * as reviews from "./reviews.js";

const AGAIN = 2000;
let last = {};

function counts(body, counted) {
  const rows = Object.entries(counted).sort(([, one], [, other]) => other - one);
  const row = ([name, count]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "count" }, count.toLocaleString()));
  const none = element("tr", {}, element("td", { colspan: "2", class: "none" }, "None yet"));
  $(body).replaceChildren(...(rows.length === 0 ? [none] : rows.map(row)));
}

async function loadAlerts() {
  const { alerts } = await get("/v1/alerts?limit=50");
  const row = (alert) =>
    element("tr", {}, element("td", {}, time(alert.hour)), element("td", {}, alert.reason), element("td", {}, `${alert.channel} ${alert.category}`), element("td", { class: "count" }, alert.count.toLocaleString()));
  const none = element("tr", {}, element("td", { colspan: "4", class: "none" }, "None"));
  $("#alerts").replaceChildren(...(alerts.length === 0 ? [none] : alerts.map(row)));
}

/** Takes what the gateway has sent, and loads what is new. */
const seen = trying(async (now) => {
  const before = last;
  last = now;
  $("#state").className = now.store ? "on" : "off";
  $("#state").textContent = now.store ? "Connected" : "The store is away: nothing may be sent";
  counts("#messages", now.messages);
  counts("#questions", now.questions);
  const differs = (field) => JSON.stringify(before[field]) !== JSON.stringify(now[field]);
  const work = [];
  if (differs("newestReview")) work.push(reviews.load());
  if (differs("newestAlert")) work.push(loadAlerts());
  if (differs("policy")) work.push(policies.load());
  else work.push(policies.loadShadow());
  await Promise.all(work);
});

async function run() {
  for (;;) {
    try {
      await listen("/v1/live", (now) => {
        $("#key").hidden = true;
        $("#all").hidden = false;
        seen(now);
      });
      throw new Error("The gateway has ended the connection.");
    } catch (error) {
      last = {};
      if (error.status === 401 || error.status === 403) {
        if (key.get()) say(error.message);
        key.forget();
        $("#state").className = "off";
        $("#state").textContent = "Locked";
        $("#all").hidden = true;
        $("#key").hidden = false;
        $("#key-value").focus();
        return;
      }
      $("#state").className = "off";
      $("#state").textContent = "Not connected, trying again";
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

$("#message button").addEventListener("click", () => say(""));
$("#key").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set($("#key-value").value.trim());
  $("#key-value").value = "";
  say("");
  run();
});
reviews.start();
policies.start();
contact.start();
run();
