// The console in a real browser: what an operator does, and what they see.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import AxeBuilder from "@axe-core/playwright";

import { launch } from "./chromium.mjs";
import { consentry, folder, serve } from "./gateway.mjs";

const ANN = "+14155550123";
const BOB = "+14155550188";

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

async function open(url = gateway.url) {
  await page?.close();
  page = await browser.newPage();
  faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`it loads ${request.url()}`);
  });
  await page.goto(`${url}/console/`);
}

const post = async (path, document) => {
  const answer = await fetch(gateway.url + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) });
  return answer.json();
};
const text = (from, body) => post("/v1/inbound", { channel: "sms", from, body });
const shows = (selector, words) => page.waitForFunction(
  ([selector, words]) => document.querySelector(selector)?.textContent.includes(words), [selector, words], { timeout: 15_000 },
);
const consent = async (of) => (await (await fetch(`${gateway.url}/consent/${of}?channel=sms&category=billing`)).json()).consentStatus;

test("what happens is pushed, and one key decides about a message", async () => {
  await open();
  await shows("#state", "Connected");
  await text(ANN, "S");
  await shows("#reviews", ANN);
  await text(BOB, "S");
  await shows("#reviews", BOB);
  await post("/v1/preflight", { channel: "sms", to: ANN });
  await shows("#questions", "opted_out");
  await shows("#messages", "other");

  // The newest is the first, and what was selected before stays selected.
  await page.keyboard.press("o");
  await page.waitForFunction((ann) => !document.querySelector("#reviews").textContent.includes(ann), ANN);
  await page.waitForFunction(() => document.querySelectorAll("#reviews [aria-current]").length === 1);
  await page.keyboard.press("n");
  await shows("#reviews", "Nothing waits");
  assert.equal(await consent(ANN), "OPTOUT");
  assert.notEqual(await consent(BOB), "OPTOUT", "only marketing is held");
  assert.deepEqual(faults, []);
});

test("a contact's file is found by number, and nothing of it is in the address bar", async () => {
  await text(ANN, '<img src=x onerror="alert(1)"> stop');
  await open();
  await shows("#state", "Connected");
  await page.fill("#address", "+1 (415) 555-0123");
  await page.press("#address", "Enter");
  await shows("#contact", "OPTOUT");
  await shows("#contact", "<img src=x");
  assert.equal(page.url(), `${gateway.url}/console/`);
  await page.fill("#address", "+14155559999");
  await page.press("#address", "Enter");
  await shows("#contact", "Nobody");
  await page.fill("#address", "nobody at all");
  await page.press("#address", "Enter");
  await page.waitForSelector("#message:not([hidden])");
  assert.deepEqual(faults, []);
});

test("a policy is added, tried on live traffic, activated and rolled back", async () => {
  const built = join(folder(), "policy.wasm");
  const rules = join(folder(), "rules");
  execFileSync("cp", ["-r", new URL("../../policy/rules", import.meta.url).pathname, rules]);
  execFileSync("sed", ["-i", "s/Example Inc/Acme Surf/", join(rules, "policy.toml")]);
  consentry("policy", "build", rules, "-o", built);
  await open();
  await shows("#state", "Connected");
  await page.setInputFiles("#upload", built);
  await shows("#message", "has passed the gate");
  await page.click('#policies button:text-is("Try on live traffic")');
  await shows("#shadow", "would come out otherwise");
  await text(BOB, "HELP");
  await shows("#shadow", "Acme Surf");
  await page.click('#policies button:text-is("Activate")');
  await page.fill("#why-reason", "the law has changed");
  await page.click('#why button[value="yes"]');
  await shows("#changes", "the law has changed");
  await shows("#policies li.active", "in force");
  await page.click("#roll-back");
  await page.fill("#why-reason", "too strict");
  await page.press("#why-reason", "Enter");
  await shows("#changes", "too strict");
  // What is no policy is told, and the page goes on.
  const broken = join(folder(), "broken.wasm");
  writeFileSync(broken, "this is no component");
  await page.setInputFiles("#upload", broken);
  await shows("#message", "component");
  assert.deepEqual(faults, []);
});

test("with keys it asks for one, and a wrong one opens nothing", async () => {
  const keys = join(folder(), "keys.toml");
  const made = execFileSync(process.env.CONSENTRY, ["key", "console", "--scope", "admin"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  writeFileSync(keys, made);
  const locked = await serve("--keys", keys);
  await open(locked.url);
  await page.waitForSelector("#key:not([hidden])");
  assert.equal(await page.isVisible("#all"), false);
  await page.fill("#key-value", "wrong");
  await page.press("#key-value", "Enter");
  await shows("#message", "not known");
  assert.equal(await page.isVisible("#all"), false);
  locked.stop();
});

for (const [width, height] of [[1440, 900], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`at ${width} px, ${colorScheme}, nothing serious is in the way of anybody`, async () => {
      await open();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await shows("#state", "Connected");
      await text(ANN, "I think maybe later S");
      await text("+14155550177", "S");
      await shows("#reviews", "+14155550177");
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `it is ${wide} px too wide`);
      if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `console-${width}-${colorScheme}.png`) });
    });
  }
}
