// The gateway's API, with the key of this tab.

const STORED = "consentry-key";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `The gateway answered ${status}.`);
    this.status = status;
  }
}

export const key = {
  get: () => sessionStorage.getItem(STORED) ?? "",
  set: (value) => sessionStorage.setItem(STORED, value),
  forget: () => sessionStorage.removeItem(STORED),
};

function headers(more = {}) {
  const value = key.get();
  return value ? { ...more, "X-API-Key": value } : more;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(`..${path}`, { ...options, headers: headers(options?.headers) });
  } catch {
    throw new Refused(0, { detail: "The gateway does not answer. This page tries again by itself." });
  }
  if (response.ok) return response;
  throw new Refused(response.status, await response.json().catch(() => ({})));
}

export const get = async (path) => (await ask(path)).json();

export const post = async (path, document) =>
  (await ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) })).json();

export const upload = async (path, file) =>
  (await ask(path, { method: "POST", headers: { "Content-Type": "application/wasm" }, body: file })).json();

export const remove = async (path) => (await ask(path, { method: "DELETE" })).json();

/** Calls `seen` with each document that the gateway sends, until the connection ends. */
export async function listen(path, seen) {
  const response = await ask(path, { headers: { Accept: "text/event-stream" } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length > 0) seen(JSON.parse(data.map((line) => line.slice(5)).join("\n")));
    }
  }
}
