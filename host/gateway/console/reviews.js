// The messages that a person must look at.

import { get, post } from "./api.js";
import { $, button, element, say, time, trying } from "./dom.js";

let shown = [];
let next = null;
let selected = null;

export async function load() {
  const page = await get("/v1/reviews?limit=50");
  shown = page.reviews;
  next = page.next;
  if (!shown.some((event) => event.eventId === selected)) selected = shown[0]?.eventId ?? null;
  draw();
}

async function loadMore() {
  const page = await get(`/v1/reviews?limit=50&before=${encodeURIComponent(next)}`);
  shown = shown.concat(page.reviews);
  next = page.next;
  draw();
}

function draw() {
  const list = $("#reviews");
  $("#reviews-count").textContent = shown.length === 0 ? "" : `${shown.length}${next ? " and more" : ""}`;
  $("#reviews-more").hidden = next === null;
  list.replaceChildren(...(shown.length === 0 ? [element("li", {}, "Nothing waits.")] : shown.map(card)));
}

function card(event) {
  const held = event.changes.length > 0;
  return element(
    "li",
    { "aria-current": event.eventId === selected && "true", onclick: () => select(event.eventId) },
    element("blockquote", {}, event.selection?.title || event.body || "(no words)"),
    element("small", {}, `${event.channel} from ${event.address}, `, time(event.saidAt), `. Understood as ${event.intent} by ${event.rule}${event.matched ? ` from “${event.matched}”` : ""}.`),
    element("small", {}, held ? "Suggested: an opt-out, as marketing is held because of it." : "Suggested: no opt-out, as nothing is held because of it."),
    element(
      "div",
      { class: "line" },
      button("Opt out", trying(() => decide(event, "opt-out")), { class: held ? "primary" : "" }),
      button("No opt-out", trying(() => decide(event, "no-opt-out")), { class: held ? "" : "primary" }),
    ),
  );
}

function select(id) {
  selected = id;
  draw();
  $('#reviews [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}

async function decide(event, verdict) {
  const answer = await post(`/v1/reviews/${encodeURIComponent(event.eventId)}`, { address: event.address, verdict });
  if (answer.duplicate) say("Somebody else had decided about this message already, and that stands.");
  const at = shown.indexOf(event);
  shown = shown.filter((other) => other !== event);
  if (selected === event.eventId) selected = (shown[at] ?? shown[at - 1])?.eventId ?? null;
  draw();
}

/** What a key does, unless somebody is typing. */
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const at = shown.findIndex((one) => one.eventId === selected);
  if (at < 0) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const verdict = { o: "opt-out", n: "no-opt-out" }[event.key.toLowerCase()];
  if (step && event.target.closest("#reviews")) {
    event.preventDefault();
    select((shown[at + step] ?? shown[at]).eventId);
  } else if (verdict && !event.repeat) {
    event.preventDefault();
    trying(decide)(shown[at], verdict);
  }
}

export function start() {
  document.addEventListener("keydown", pressed);
  $("#reviews-more").addEventListener("click", trying(loadMore));
}
