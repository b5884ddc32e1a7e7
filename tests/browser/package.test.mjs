// The npm package: packed, installed elsewhere, and used from there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { folder } from "./gateway.mjs";

const PACKAGE = fileURLToPath(new URL("../../host/browser/pkg", import.meta.url));

test("the package is packed, installed and used", () => {
  const elsewhere = folder();
  const npm = (...args) => execFileSync("npm", args, { cwd: elsewhere, encoding: "utf8" });
  const packed = npm("pack", PACKAGE, "--json", "--pack-destination", elsewhere);
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
  const names = files.map(({ path }) => path);
  for (const name of ["dist/simulator.js", "dist/engine_bg.wasm", "dist/policy.wasm", "index.d.ts", "example.mjs"]) {
    assert.ok(names.includes(name), name);
  }
  assert.ok(!names.includes("dist/index.html"), "the page is no part of it");
  writeFileSync(join(elsewhere, "package.json"), JSON.stringify({ type: "module" }));
  npm("install", "--no-audit", "--no-fund", "--offline", join(elsewhere, filename));
  const example = execFileSync("node", ["node_modules/consentry/example.mjs"], { cwd: elsewhere, encoding: "utf8" });
  assert.match(example, /at noon: allowed/);
  assert.match(example, /at midnight: quiet_hours until 2026-06-11T15:00:00.000Z/);
  assert.match(example, /they wrote: opt-out/);
  assert.match(example, /at noon again: opted_out/);
});
