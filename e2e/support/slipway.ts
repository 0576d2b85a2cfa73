/** A Slipway of its own for each test: the real binary on a free port, an empty data directory, a fresh database. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { test as base, expect, type Page } from "@playwright/test";
import { AxeBuilder } from "@axe-core/playwright";

const binary = process.env["SLIPWAY_BINARY"] ?? join(import.meta.dirname, "../../target/debug/slipway");

export interface Slipway {
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  /** Its data directory. */
  data: string;
  /** What it wrote to standard error so far. */
  log(): string;
}

interface Running extends Slipway {
  stop(): Promise<void>;
}

async function start(database: string): Promise<Running> {
  const data = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  const postgres = database === "postgres" ? await createDatabase() : undefined;
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--data", data], {
    env: {
      PATH: process.env["PATH"],
      HOME: data,
      ...(postgres ? { SLIPWAY_DATABASE_URL: postgres.url } : {}),
      SLIPWAY_SIM_SPEED: "40",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const url = await address(child, () => log);
  return {
    url,
    data,
    log: () => log,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      postgres?.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** The address that the server prints when it is ready. */
function address(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const match = /serves (http:\/\/\S+?)\/?\s/.exec(printed);
      if (match?.[1]) resolve(match[1]);
    });
    child.once("exit", (code) => reject(new Error(`slipway ended with ${code}:\n${printed}\n${log()}`)));
  });
}

/** A fresh database on a throw-away PostgreSQL; both go when `stop` is called, and also when this process ends in any other way. */
async function createDatabase(): Promise<{ url: string; stop(): void }> {
  const child = spawn(join(dirname(binary), "test-postgres"), { stdio: ["pipe", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve, reject) => {
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const line = printed.split("\n")[0];
      if (printed.includes("\n") && line) resolve(line.trim());
    });
    child.once("exit", (code) => reject(new Error(`test-postgres ended with ${code}`)));
  });
  return { url, stop: () => child.stdin.end() };
}

interface Fixtures {
  slipway: Slipway;
  /** Fails the test when the page logged an error that the test did not provoke. */
  console: { allow(pattern: RegExp): void };
}

export const test = base.extend<Fixtures>({
  slipway: [
    async ({}, use, info) => {
      const slipway = await start(String(info.project.metadata["database"] ?? "sqlite"));
      await use(slipway);
      await slipway.stop();
    },
    { timeout: 60_000 },
  ],
  baseURL: async ({ slipway }, use) => use(slipway.url),
  console: [
    async ({ page }, use) => {
      const allowed: RegExp[] = [];
      const seen: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") seen.push(message.text());
      });
      page.on("pageerror", (error) => seen.push(String(error)));
      await use({ allow: (pattern) => allowed.push(pattern) });
      const unexpected = seen.filter((text) => !allowed.some((pattern) => pattern.test(text)));
      expect(unexpected, "what the browser's console showed").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Signs a persona in on the sandbox page. */
export async function signIn(page: Page, persona: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByRole("button", { name: new RegExp(`^${persona}`, "i") }).click();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
}

/** No violation of WCAG 2.2 A and AA on the page as it is. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" | ")}`);
  expect(found).toEqual([]);
}
