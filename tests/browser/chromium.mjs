// Debian's Chromium, as tests start it.

import { chromium } from "playwright-core";

import { folder } from "./gateway.mjs";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** A browser with nothing in it, 1,440 pixels wide. */
export const launch = () =>
  chromium.launchPersistentContext(folder(), {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
  });
