// Scenarios: saved to a file, opened from one, and carried whole in a link.

/** The version of the form of scenarios and of links. */
const VERSION = 1;

/** The conversation as a scenario in which every answer is expected as it was. */
export function scenario(session, contact) {
  const steps = session.steps.map(({ step, answer }) => {
    const expect = expected(step, answer);
    return expect ? { ...step, expect } : step;
  });
  return { consentry: VERSION, name: "From the simulator", at: session.begin, contact, steps };
}

function expected(step, answer) {
  const pick = (...names) => Object.fromEntries(names.map((name) => [name, answer[name] ?? null]));
  if (step.inbound) {
    return pick("intent", "scope", "route", "review");
  }
  if (step.preflight) {
    return pick("allowed", "reason", "route");
  }
  return step.report ? pick("consentStatus") : null;
}

/** Gives a file to whoever looks at the page. */
export function save(made) {
  const text = JSON.stringify(made, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "scenario.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A link that holds a scenario, in the part of the address that no server sees. */
export async function link(made) {
  const packed = new Response(
    new Blob([JSON.stringify(made)]).stream().pipeThrough(new CompressionStream("deflate-raw")),
  );
  const bytes = new Uint8Array(await packed.arrayBuffer());
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const plain = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}#scenario=${VERSION}.${plain}`;
}

/** The scenario in the page's address, if there is one, as text. It is taken out of the address. */
export async function fromAddress() {
  const found = /^#scenario=([^.]*)\.?(.*)$/s.exec(location.hash);
  if (!found) {
    return null;
  }
  history.replaceState(null, "", location.pathname + location.search);
  const [, version, plain] = found;
  if (version !== String(VERSION)) {
    throw new Error(
      `this link was made by another version of Consentry: its form is ${version || "not named"}, ` +
        `and this page reads ${VERSION}`,
    );
  }
  try {
    const text = atob(plain.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return await bounded(unpacked);
  } catch (error) {
    if (error instanceof RangeError) {
      throw error;
    }
    throw new Error("this link is damaged: a part of it is missing or changed");
  }
}

/** No scenario is larger, and no link shall fill the memory. */
const LARGEST = 4 << 20;

async function bounded(stream) {
  const reader = stream.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return new TextDecoder().decode(await new Blob(parts).arrayBuffer());
    }
    size += value.length;
    if (size > LARGEST) {
      reader.cancel();
      throw new RangeError("the scenario in this link is larger than 4 MiB");
    }
    parts.push(value);
  }
}
