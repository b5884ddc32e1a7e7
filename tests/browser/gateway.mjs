// A gateway to test, and the folder that "consentry simulator export" writes.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

process.setMaxListeners(100);
const PROGRAM = process.env.CONSENTRY;
if (!PROGRAM) {
  throw new Error("CONSENTRY must name the program that is tested; tests/browser/run does so");
}

/** A folder that is gone when the process ends. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "consentry-browser-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Runs the program, and gives what it printed. */
export function consentry(...args) {
  return execFileSync(PROGRAM, args, { encoding: "utf8", maxBuffer: 64 << 20 });
}

/** The status that the program ends with. */
export function status(...args) {
  try {
    consentry(...args);
    return 0;
  } catch (error) {
    return error.status;
  }
}

/** Writes the simulator to a folder. */
export function exported(...args) {
  const path = join(folder(), "simulator");
  consentry("simulator", "export", path, ...args);
  return path;
}

/** Starts a gateway on a free port and a new store. */
export async function serve(...args) {
  const store = `sqlite:${join(folder(), "consentry.db")}`;
  const child = spawn(
    PROGRAM,
    ["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--store", store, ...args],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  // A test that fails ends, and the gateway with it.
  process.on("exit", () => child.kill("SIGKILL"));
  child.unref();
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const address = JSON.parse(line).fields?.address;
    if (address) {
      child.stderr.resume();
      child.stderr.unref();
      return { url: `http://${address}`, stop: () => child.kill("SIGKILL") };
    }
  }
  throw new Error(`the gateway did not start:\n${said.join("\n")}`);
}
