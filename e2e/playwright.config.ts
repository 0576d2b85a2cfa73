import { defineConfig } from "@playwright/test";

/** Chromium is Debian's: Playwright's own browsers are a download that not every machine may make. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  // Every test has a server of its own (support/slipway.ts); two at a time suit two cores.
  fullyParallel: false,
  workers: Number(process.env["SLIPWAY_E2E_WORKERS"] ?? 2),
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [["list"], ["html", { open: "never", outputFolder: "playwright-report" }]],
  use: {
    viewport: { width: 1440, height: 1000 },
    actionTimeout: 15_000,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "sqlite", metadata: { database: "sqlite" } },
    // The main story once more on the other engine; what does not touch the database need not run twice.
    { name: "postgres", metadata: { database: "postgres" }, testMatch: ["story*.spec.ts"] },
  ],
});
