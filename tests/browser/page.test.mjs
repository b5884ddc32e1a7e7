// The page in a real browser: what a person does, and what they see.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";

import { launch } from "./chromium.mjs";
import { endless } from "./endless.mjs";
import { consentry, exported, folder, serve, status } from "./gateway.mjs";

/** A noon in California. Screenshots show the same each time. */
const NOON = "2026-06-10T19:00:00Z";
/** A conversation that begins then, as a link. */
const AT_NOON = (() => {
  const report = { status: "OPTIN", category: "marketing", source: "web-form" };
  const evidence = { timestamp: NOON, text: "Yes, text me offers from Example Inc. Reply STOP to end." };
  const steps = ["sms", "whatsapp"].map((channel) => ({ report: { ...report, channel, evidence } }));
  const scenario = { consentry: 1, at: NOON, contact: { phoneNumber: "+14155550123", country: "US", language: "en" }, steps };
  return `#scenario=1.${deflateRawSync(JSON.stringify(scenario)).toString("base64url")}`;
})();
const RULES = new URL("../../policy/rules", import.meta.url).pathname;

let gateway;
let browser;
let page;
let faults;

before(async () => {
  gateway = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  gateway?.stop();
});

/** A new page that has loaded. Everything that it complains of is a fault, and so is what it loads from elsewhere. */
async function open(address = `${gateway.url}/simulator/`) {
  await page?.close();
  page = await browser.newPage();
  faults = [];
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== new URL(address).origin) {
      faults.push(`it loads ${url.origin}`);
    }
  });
  await page.goto(address);
  await page.waitForSelector("html[data-ready]");
  return page;
}

const text = (selector) => page.locator(selector).innerText();
const lit = () => page.locator("#flow .node.lit").evaluateAll((nodes) => nodes.map((node) => node.dataset.node));
const type = async (channel, words) => {
  await page.fill(`#say-${channel}`, words);
  await page.press(`#say-${channel}`, "Enter");
};
const consent = (category, channel) =>
  page.locator(`#consent-rows tr:has(th:text-is("${category}")) td`).nth(["sms", "whatsapp", "voice", "email"].indexOf(channel)).innerText();
const until = (check, what) => page.waitForFunction(check, what, { timeout: 15_000 });
const said = (part) => until((part) => document.getElementById("said").textContent.includes(part), part);

test("the policy is the gateway's, to the byte", async () => {
  await open();
  const { active } = await (await fetch(`${gateway.url}/v1/policies`)).json();
  assert.equal(await text("#digest"), active);
  const bytes = Buffer.from(await (await fetch(`${gateway.url}/simulator/policy.wasm`)).arrayBuffer());
  assert.equal(`sha256:${createHash("sha256").update(bytes).digest("hex")}`, active);
});

test("STOP!! lights the way to opt-out, and nothing goes afterwards", async () => {
  await open();
  assert.equal(await consent("marketing", "sms"), "✓ in");
  await type("sms", "STOP!!");
  await said("is an opt-out");
  assert.deepEqual(await lit(), ["hear", "decide", "in-opt-out"]);
  assert.equal(await consent("marketing", "whatsapp"), "✕ out");
  assert.match(await text("#log-sms"), /You have been unsubscribed/);
  assert.match(await text("#evidence"), /STOP!!/);
  await page.click("button[data-send=sms]");
  await said("the person opted out");
  assert.deepEqual(await lit(), ["ask", "judge", "out-silent-failure"]);
  assert.deepEqual(faults, []);
});

test("a message is answered in less than a frame", async () => {
  await open();
  const took = [];
  for (const words of ["Hello", "stop by at 5", "please stop texting me", "HELP", "no me escriban más", "x".repeat(1600)]) {
    await type("sms", words);
    await said(words.slice(0, 5));
    took.push(Number(/([\d.]+) ms/.exec(await text("#took"))[1]));
  }
  console.log(`answered in ${took.join(", ")} ms`);
  took.sort((one, other) => one - other);
  assert.ok(took[3] < 16, took.join(", "));
});

test("24 hours close the WhatsApp window", async () => {
  await open();
  await type("whatsapp", "Do you ship to Brazil?");
  await said("is something else");
  assert.match(await text("#window"), /open/i);
  await page.selectOption("#template", { label: "service (free-form)" });
  await page.click("button[data-send=whatsapp]");
  await said("goes: nothing is against it");
  await page.click("button[data-wait='24h']");
  await page.click("button[data-wait='1h']");
  await until(() => /closed/i.test(document.getElementById("window").textContent));
  await page.click("button[data-send=whatsapp]");
  await said("the WhatsApp window is closed");
  assert.deepEqual(faults, []);
});

test("a list is tapped, the country and the clock change, a campaign meets a stale list", async () => {
  await open();
  await type("whatsapp", "Hi there");
  await page.click("#ask");
  await page.click("#log-whatsapp .rows button:has-text('No, thanks')");
  await said("“No, thanks” is");
  await page.selectOption("#contact", { label: "Denis, Paris" });
  await until(() => document.getElementById("number").textContent === "+33639980123");
  await type("sms", "ARRÊT");
  await said("is an opt-out");
  await page.click("#campaign");
  await page.waitForSelector("#campaign-result table");
  const result = await text("#campaign-result");
  assert.match(result, /\+14155550177.*opted out/s);
  assert.match(result, /\+12125550148[\s\S]*send/);
  assert.ok((await lit()).includes("out-silent-failure"));
  assert.deepEqual(faults, []);
});

/** The default rules, but for what is changed in them, as a policy. */
function otherPolicy(change) {
  const rules = join(folder(), "rules");
  cpSync(RULES, rules, { recursive: true });
  change(rules);
  const file = join(folder(), "other.wasm");
  consentry("policy", "build", rules, "-o", file);
  return file;
}

test("a policy dropped on the page answers beside the active one, and the difference is lit", async () => {
  const file = otherPolicy((rules) => {
    const preflight = join(rules, "preflight.toml");
    const changed = readFileSync(preflight, "utf8").replace('opted_out = "silent-failure"', 'opted_out = "internal-alert"');
    writeFileSync(preflight, changed);
  });
  await open();
  await type("sms", "stop");
  await said("is an opt-out");
  await drop(file, "other.wasm");
  await until(() => /Both answer alike/.test(document.getElementById("differences-count").textContent));
  await page.click("button[data-send=sms]");
  await until(() => /differ in 1 of/.test(document.getElementById("differences-count").textContent));
  assert.match(await text("#differences"), /route\s+silent-failure\s+internal-alert/);
  assert.equal(await page.locator("#flow .node.other").getAttribute("data-node"), "out-internal-alert");
  await page.click("#take-away");
  await page.waitForSelector("#beside", { state: "hidden" });
  assert.deepEqual(faults, []);
});

/** The active policy with an empty section more, so that it is put together otherwise. */
async function otherwise() {
  const policy = Buffer.from(await (await fetch(`${gateway.url}/simulator/policy.wasm`)).arrayBuffer());
  const file = join(folder(), "otherwise.wasm");
  writeFileSync(file, Buffer.concat([policy, Buffer.from([7, 1, 0])]));
  return file;
}

test("for a policy that is put together otherwise, the gateway makes the bindings", async () => {
  await open();
  await type("sms", "stop");
  await said("is an opt-out");
  await drop(await otherwise(), "otherwise.wasm");
  await until(() => /Both answer alike/.test(document.getElementById("differences-count").textContent));
  assert.deepEqual(faults, []);
});

test("a policy that never ends is taken away, and the conversation goes on", async () => {
  await open();
  await type("sms", "Hello");
  await said("is something else");
  const policy = Buffer.from(await (await fetch(`${gateway.url}/simulator/policy.wasm`)).arrayBuffer());
  const file = join(folder(), "endless.wasm");
  writeFileSync(file, endless(policy, "classify"));
  await drop(file, "endless.wasm");
  assert.match(await complaint(), /did not answer in time/);
  assert.ok(await page.isHidden("#beside"));
  assert.match(await text("#log-sms"), /Hello/);
  await type("sms", "STOP!!");
  await said("is an opt-out");
  // One that never says who it is.
  writeFileSync(file, endless(policy, "describe"));
  await drop(file, "endless.wasm");
  assert.match(await complaint(), /did not answer in time/);
  await type("sms", "START");
  await said("is an opt-in");
});

/** Drops a file on the page, as a person does. */
async function drop(file, name) {
  const base64 = readFileSync(file).toString("base64");
  await page.evaluate(({ base64, name }) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, { base64, name });
}

const complaint = async () => {
  await page.waitForSelector("#message:not([hidden])");
  return text("#message span");
};

test("what cannot be used is told plainly, and the page goes on", async () => {
  await open();
  const file = join(folder(), "bad.wasm");
  const refused = async (bytes, why) => {
    writeFileSync(file, bytes);
    await page.evaluate(() => { document.getElementById("message").hidden = true; });
    await drop(file, "bad.wasm");
    assert.match(await complaint(), why);
  };
  const policy = Buffer.from(await (await fetch(`${gateway.url}/simulator/policy.wasm`)).arrayBuffer());
  await refused("hello", /no WebAssembly component/);
  await refused(policy.subarray(0, policy.length / 2), /damaged/);
  await refused(Buffer.from("0061736d01000000", "hex"), /module and no component/);
  // A component that imports the function "clock".
  await refused(Buffer.from("0061736d0d000100" + "0705014000" + "0077" + "0a0a010005636c6f636b0100", "hex"), /imports "clock"/);
  await page.fill("#say-sms", "x".repeat(100_000));
  await page.press("#say-sms", "Enter");
  assert.match(await complaint(), /100,000 bytes/);
  await page.fill("#say-sms", "");
  for (const [fragment, why] of [["scenario=2.abc", /another version/], ["scenario=1.abc", /damaged/], ["scenario=1.", /damaged|JSON/]]) {
    await page.evaluate((fragment) => {
      document.getElementById("message").hidden = true;
      location.hash = fragment;
    }, fragment);
    assert.match(await complaint(), why);
    assert.equal(new URL(page.url()).hash, "");
  }
  await type("sms", "STOP!!");
  await said("is an opt-out");
});

test("a link carries the conversation, and the address bar holds nothing of it", async () => {
  await open();
  await type("sms", "quit to end");
  await said("is an opt-out");
  assert.equal(page.url(), `${gateway.url}/simulator/`);
  await page.click("#link");
  await page.waitForSelector("#shared:not([hidden])");
  const link = await page.inputValue("#shared-link");
  assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/simulator\/#scenario=1\./);
  assert.equal(page.url(), `${gateway.url}/simulator/`);
  await open(link);
  await said("quit to end");
  assert.equal(page.url(), `${gateway.url}/simulator/`);
  assert.match(await text("#log-sms"), /quit to end/);
  assert.equal(await consent("marketing", "sms"), "✕ out");
  assert.deepEqual(faults, []);
});

test("a saved scenario passes on the command line, and fails when the answer is another", async () => {
  await open();
  await type("sms", "STOP!!");
  await said("is an opt-out");
  await page.click("button[data-send=sms]");
  await said("the person opted out");
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  const file = join(folder(), "scenario.json");
  await saved.saveAs(file);
  assert.equal(status("policy", "test", file), 0);
  const scenario = readFileSync(file, "utf8");
  writeFileSync(file, scenario.replace('"opted_out"', '"allowed"'));
  assert.equal(status("policy", "test", file), 4);
  writeFileSync(file, scenario.replace('"consentry": 1', '"consentry": 9'));
  assert.equal(status("policy", "test", file), 2);
});

test("the exported folder works from any web server", async () => {
  const root = exported();
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css", ".svg": "image/svg+xml" };
  const server = createServer((request, response) => {
    const name = new URL(request.url, "http://localhost").pathname.replace("/sub/", "") || "index.html";
    try {
      response.writeHead(200, { "Content-Type": types[extname(name)] }).end(readFileSync(join(root, name)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  await open(`http://127.0.0.1:${server.address().port}/sub/`);
  await type("sms", "STOP!!");
  await said("is an opt-out");
  assert.deepEqual(faults, []);
  await drop(await otherwise(), "otherwise.wasm");
  assert.match(await complaint(), /only a gateway can make bindings/);
  server.close();
});

test("with API keys the page asks for one", async () => {
  const keys = join(folder(), "keys.toml");
  const made = spawnSync(process.env.CONSENTRY, ["key", "reader", "--scope", "read"], { encoding: "utf8" });
  writeFileSync(keys, made.stdout);
  const key = made.stderr.split("\n").map((line) => line.trim()).find((line) => /^\S{20,}$/.test(line));
  const guarded = await serve("--keys", keys);
  assert.equal((await fetch(`${guarded.url}/simulator/policy.wasm`)).status, 401);
  await page.close();
  page = await browser.newPage();
  await page.goto(`${guarded.url}/simulator/`);
  await page.waitForSelector("#key:not([hidden])");
  await page.fill("#key-field", "wrong");
  await page.click("#key button");
  assert.match(await complaint(), /not known/);
  await page.fill("#key-field", key);
  await page.click("#key button");
  await page.waitForSelector("html[data-ready]");
  guarded.stop();
});

test("the page without the policy weighs less than 500 kB, and is sent under a content security policy", async () => {
  const root = exported();
  const weights = readdirSync(root).map((name) => [name, gzipSync(readFileSync(join(root, name))).length]);
  const page = weights.filter(([name]) => name !== "policy.wasm");
  const all = page.reduce((sum, [, weight]) => sum + weight, 0);
  const listed = weights.map(([name, weight]) => `${name} ${weight}`).join(", ");
  console.log(`the page weighs ${all} bytes compressed without the policy: ${listed}`);
  assert.ok(all < 500_000);
  const served = await fetch(`${gateway.url}/simulator/`);
  assert.match(served.headers.get("content-security-policy"), /default-src 'none'/);
  assert.doesNotMatch(await served.text(), /<script(?![^>]*src=)|style="|onclick=/);
});

test("the whole page can be used with the keyboard", async () => {
  await open();
  const reached = new Set();
  for (let presses = 0; presses < 90; presses += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.dataset.say || document.activeElement.dataset.send || document.activeElement.dataset.wait || document.activeElement.name));
  }
  for (const id of ["undo", "anew", "save", "open", "link", "1h", "24h", "set-clock", "contact", "country", "language", "zone", "say-sms", "say-whatsapp", "template", "sms", "whatsapp", "ask", "campaign", "evidence", "policy-file"]) {
    assert.ok(reached.has(id), `${id} is not reached: ${[...reached].join(" ")}`);
  }
});

test("nothing jumps while a message is answered", async () => {
  await open();
  await page.evaluate(() => {
    window.shifts = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => { window.shifts += value; }))
      .observe({ type: "layout-shift", buffered: true });
  });
  for (const words of ["Hello", "STOP!!", "START"]) {
    await type("sms", words);
    await said(words);
  }
  const shifts = await page.evaluate(() => window.shifts);
  assert.ok(shifts < 0.05, String(shifts));
});

for (const scheme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    test(`it is accessible and looks as it should: ${scheme}, ${width} px`, async () => {
      await open(`${gateway.url}/simulator/${AT_NOON}`);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.click("button[data-send=sms]");
      await said("goes");
      await page.click("button[data-send=whatsapp]");
      await type("whatsapp", "Do you ship to Brazil?");
      await said("is something else");
      await type("sms", "quit 2 end pls");
      await said("is an opt-out");
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 120))]), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, "it scrolls sideways");
      // The time that an answer took is another one each time.
      await page.evaluate(() => { document.getElementById("took").textContent = ""; });
      await page.locator("body").click({ position: { x: 1, y: 1 } });
      const shots = process.env.SHOTS ?? folder();
      mkdirSync(shots, { recursive: true });
      await page.screenshot({ path: join(shots, `simulator-${width}-${scheme}.png`), fullPage: true });
    });
  }
}
