// The customer's phone: what was said on each channel, and typing as the customer.

import { LIST } from "./business.js";
import { h, byId, put, toEnd } from "./dom.js";
import { clock, reason } from "./words.js";

/** The longest message that a gateway takes, in bytes. */
const LONGEST = 16384;

/** Shows both phones. */
export function show(session, zone, tap) {
  for (const channel of ["sms", "whatsapp"]) {
    const log = byId(`log-${channel}`);
    put(log, ...bubbles(session, channel, zone, tap));
    if (!log.children.length) {
      put(log, h("p", { class: "empty" }, "Nothing was said yet. Type as the customer below: STOP!!, a question, anything."));
    }
    toEnd(log);
  }
  showWindow(session.state, zone);
}

function bubbles(session, channel, zone, tap) {
  const { address } = session.state;
  const shown = [];
  for (const taken of session.steps) {
    const { step, answer, state } = taken;
    const at = clock(state.now, zone, { timeStyle: "short" });
    if (step.inbound?.channel === channel && (step.inbound.from ?? address) === address) {
      shown.push(bubble("mine", step.inbound.body || step.inbound.selection?.title, at));
      if (answer.reply) {
        shown.push(bubble("theirs", answer.reply, `${at} · automatic answer`));
      }
    }
    if (step.preflight?.channel === channel && (step.preflight.to ?? address) === address) {
      const { text, rows } = textOf(step);
      if (answer.allowed) {
        shown.push(bubble("theirs", text, at, rows && list(rows, taken, tap)));
      } else {
        shown.push(h("p", { class: "dropped" }, `not sent: ${reason(answer.reason)}`));
      }
    }
    if (step.wait) {
      shown.push(h("p", { class: "passed" }, `${step.wait} later`));
    }
  }
  return shown;
}

/** A scenario of another maker has no texts; then the category stands for one. */
function textOf({ preflight, note }) {
  const text = note ?? `(${preflight.category ?? preflight.template?.category ?? "a message"})`;
  return { text, rows: note === LIST.text ? LIST.rows : null };
}

function bubble(whose, text, at, ...more) {
  return h("div", { class: `bubble ${whose}` },
    h("span", { class: "who" }, whose === "mine" ? "Customer" : "Business"),
    h("p", {}, text), ...more, h("time", {}, at));
}

function list(rows, taken, tap) {
  return h("div", { class: "rows", role: "group", "aria-label": "List" },
    rows.map((row) => h("button", { type: "button", onclick: () => tap(row, textOf(taken.step).text) }, row.title)));
}

function showWindow({ now, lastInbound }, zone) {
  const inbound = lastInbound.inbound?.whatsapp;
  const ends = Math.max(
    inbound ? Date.parse(inbound) + 24 * 3600e3 : 0,
    lastInbound.adEntry?.whatsapp ? Date.parse(lastInbound.adEntry.whatsapp) + 72 * 3600e3 : 0,
  );
  const open = ends >= Date.parse(now);
  const shown = byId("window");
  shown.className = open ? "window open" : "window";
  shown.textContent = open
    ? `open · ${clock(ends, zone, { weekday: "short", hour: "2-digit", minute: "2-digit" })}`
    : ends ? "closed: only templates" : "only templates";
}

/** Lets somebody type as the customer. `say` is given the channel and the text. */
export function listen(say, complain) {
  for (const form of document.querySelectorAll("form[data-phone]")) {
    const field = form.elements.body;
    const send = async () => {
      const body = field.value;
      if (!body.trim()) {
        return;
      }
      const bytes = new TextEncoder().encode(body).length;
      if (bytes > LONGEST) {
        complain(
          `This message has ${bytes.toLocaleString("en")} bytes; a gateway takes at most ` +
            `${LONGEST.toLocaleString("en")}. Nothing was sent; shorten it.`,
        );
        return;
      }
      field.value = "";
      await say(form.dataset.phone, body);
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
      }
    });
  }
  for (const button of document.querySelectorAll("button[data-say]")) {
    button.addEventListener("click", () => say(button.closest("[data-channel]").dataset.channel, button.dataset.say));
  }
}
