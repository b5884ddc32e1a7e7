// The policies, and a candidate beside the active one.

import { get, post, remove, upload } from "./api.js";
import { $, askWhy, button, element, say, time, trying } from "./dom.js";

let active = "";

export async function load() {
  const answer = await get("/v1/policies");
  active = answer.active;
  const known = answer.policies.find((policy) => policy.digest === active);
  $("#policy-name").textContent = known ? `${known.name} ${known.version}` : answer.source === "store" ? "built in" : `from ${answer.source}`;
  $("#policy-digest").textContent = active;
  $("#policies").replaceChildren(...answer.policies.map(policy));
  if (answer.policies.length === 0) $("#policies").replaceChildren(element("li", {}, "None was added; the built-in one decides."));
  $("#changes").replaceChildren(...answer.changes.map(change));
  if (answer.changes.length === 0) $("#changes").replaceChildren(element("li", {}, "Nothing yet."));
  await loadShadow();
}

function policy(version) {
  const isActive = version.digest === active;
  return element(
    "li",
    { class: isActive ? "active" : "" },
    element("strong", {}, `${version.name} ${version.version}${isActive ? " · in force" : ""}`),
    element("code", { class: "digest" }, version.digest),
    element("small", {}, `${version.signed ? "signed" : "not signed"}, ${Math.round(version.size / 1024)} KiB, added `, time(version.addedAt), ` by ${version.addedBy}`),
    element(
      "div",
      { class: "line" },
      isActive ? null : button("Activate", trying(() => activate(version))),
      isActive ? null : button("Try on live traffic", trying(() => shadow(version))),
    ),
  );
}

const change = (one) =>
  element("li", {}, time(one.at), ` ${one.kind === "rollback" ? "rolled back to" : "activated"} `, element("code", {}, one.digest.slice(0, 19)), ` by ${one.actor}: ${one.reason}`);

async function activate(version) {
  const reason = await askWhy(`Let ${version.name} ${version.version} decide, in every gateway on the store?`);
  if (reason === null) return;
  await post(`/v1/policies/${version.digest}/activate`, { reason });
  await load();
}

async function rollBack() {
  const reason = await askWhy("Take the last activation back?");
  if (reason === null) return;
  await post("/v1/policies/rollback", { reason });
  await load();
}

async function shadow(version) {
  await post(`/v1/policies/${version.digest}/shadow`, {});
  await loadShadow();
}

export async function loadShadow() {
  const report = await get("/v1/policies/shadow").catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  $("#shadow").replaceChildren(...(report === null ? [element("p", { class: "empty" }, "None. “Try on live traffic” asks a policy beside the one in force; nobody acts on its answers.")] : asked(report)));
}

function asked(report) {
  const row = (difference) =>
    element("tr", {}, element("td", {}, difference.what), element("td", {}, difference.was), element("td", {}, difference.wouldBe), element("td", { class: "count" }, String(difference.count)));
  const head = ["What", "In force", "Candidate"].map((title) => element("th", { scope: "col" }, title));
  return [
    element("code", { class: "digest" }, report.digest),
    element("p", {}, `${report.different} of ${report.messages} messages and ${report.questions} questions would come out otherwise, since `, time(report.since), report.passedOver > 0 ? `; ${report.passedOver} were passed over.` : "."),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Differences" },
      element("table", {}, element("thead", {}, element("tr", {}, ...head, element("th", { scope: "col", class: "count" }, "Count"))), element("tbody", {}, ...report.differences.map(row))),
    ),
    element("div", { class: "line" }, button("Look again", trying(loadShadow)), button("End", trying(endShadow))),
  ];
}

async function endShadow() {
  await remove("/v1/policies/shadow");
  await loadShadow();
}

export function start() {
  $("#roll-back").addEventListener("click", trying(rollBack));
  $("#upload").addEventListener(
    "change",
    trying(async (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      const version = await upload("/v1/policies", file);
      say(`${version.name} ${version.version} has passed the gate, and decides nothing yet.`);
      await load();
    }),
  );
}
