/** Every page there is, in many states: a title, one heading, nothing that overflows a phone, no violation of WCAG, no error in the console. */

import type { Page } from "@playwright/test";

import { apiAs, sendVm, simulator, until } from "../support/api.js";
import { expect, expectAccessible, signIn, test, type Slipway } from "../support/slipway.js";

/** As long as a stack's name may be. */
const LONG = "a-name-that-is-as-long-as-one-is";

/** Addresses that name nothing, or nothing that the reader may see. */
const NOT_THERE = ["/nowhere", "/stacks/x", "/requests/018f0000-0000-7000-8000-000000000000", "/operations/x", "/catalogue/x", "/projects/x"];

test("every page stands, wide and narrow, light and dark", async ({ page, slipway, console }) => {
  // Sixty pages, each looked at in six widths.
  test.setTimeout(1_500_000);
  // The pages that are not there are asked for on purpose.
  console.allow(/status of 40[34]/);
  const paths = await scene(page, slipway);
  const titles = new Map<string, string>();
  // All pages are looked at before anything is said: one fault must not hide the others.
  const faults: string[] = [];
  for (const [persona, its] of Object.entries(paths)) {
    if (persona !== "nobody") await signIn(page, persona);
    for (const path of its) {
      const look = async (scheme: "light" | "dark", width: number, check: () => Promise<void>) => {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 1000 });
        try {
          await check();
        } catch (error) {
          faults.push(`${path} (${persona}, ${scheme}, ${width} px): ${String(error)}`);
        }
      };
      await look("light", 360, async () => {
        const answer = await page.goto(path);
        expect(answer?.status()).toBe(NOT_THERE.includes(path) ? 404 : 200);
        await expectWhole(page);
        if (answer?.ok()) {
          // The queue and the trail are one page each, whatever is chosen in them.
          const [its] = /^\/(approvals|audit)/.test(path) ? path.split("?") : [path];
          const title = await page.title();
          expect(titles.get(title) ?? its, `"${title}" is the title of another page too`).toBe(its);
          titles.set(title, String(its));
        }
        await expectAccessible(page);
      });
      await look("dark", 1440, () => expectAccessible(page));
      for (const width of [640, 768, 1024, 2560]) await look("dark", width, () => expectWhole(page));
    }
  }
  expect(faults.join("\n\n")).toBe("");
});

/** Stacks and requests in every state that can be seen, and the pages that show them. */
async function scene(page: Page, slipway: Slipway): Promise<Record<string, string[]>> {
  const approver = await apiAs(page, slipway, "approver");
  const developer = await apiAs(page, slipway, "developer");
  const faults = await simulator(slipway);
  const order = (name: string, action: object) =>
    faults.post("/_sim/faults", { data: { method: "PUT", path: `virtualMachines/vm-${name}$`, times: 1, action } });
  const decide = async (request: string, decision: string) => {
    const shown = (await (await approver.get(`/api/v1/requests/${request}`)).json()) as { plan: { digest: string } };
    const answer = await approver.post(`/api/v1/requests/${request}/decisions`, {
      data: { decision, comment: "Said why.", plan_digest: shown.plan.digest },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
  };

  await order("broken", { type: "fail", code: "AllocationFailed", message: "Allocation failed. We do not have sufficient capacity for the requested VM size in this region." });
  await order("hanging", { type: "hang" });
  const active = await sendVm(developer, "active");
  const broken = await sendVm(developer, "broken");
  const hanging = await sendVm(developer, "hanging");
  const deleted = await sendVm(developer, "deleted");
  const tags = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`a-tag-with-a-long-name-${i}`, "and-a-value-that-never-finds-a-place-to-break".repeat(2)]));
  const long = await sendVm(developer, LONG, { tier: "prod", tags, justification: "It goes on and on, and then it says it again. ".repeat(40) });
  const denied = await sendVm(developer, "denied", { expiry: "" });
  const rejected = await sendVm(developer, "rejected", { tier: "prod" });
  const changes = await sendVm(developer, "changes", { tier: "prod" });
  const withdrawn = await sendVm(developer, "withdrawn", { tier: "prod" });
  await decide(rejected.request, "reject");
  await decide(changes.request, "request_changes");
  const { etag } = (await developer.get(`/api/v1/requests/${withdrawn.request}`)).headers();
  const taken = await developer.post(`/api/v1/requests/${withdrawn.request}/withdraw`, { headers: { "If-Match": String(etag) } });
  expect(taken.ok(), await taken.text()).toBe(true);
  expect(await until(developer, `/api/v1/stacks/${active.stack}`, ["active", "failed"])).toBe("active");
  expect(await until(developer, `/api/v1/stacks/${broken.stack}`, ["active", "failed"])).toBe("failed");
  await until(developer, `/api/v1/stacks/${deleted.stack}`, ["active"]);
  await developer.post(`/api/v1/stacks/${deleted.stack}/delete`, { data: { confirm: "deleted", justification: "Done." } });
  await until(developer, `/api/v1/stacks/${deleted.stack}`, ["deleted"]);
  const operations = async (stack: string) => {
    const { items } = (await (await developer.get(`/api/v1/operations?stack=${stack}`)).json()) as { items: { id: string }[] };
    return items.map(({ id }) => `/operations/${id}`);
  };

  const tabs = (stack: string) => ["resources", "posture", "cost", "changes", "activity"].map((tab) => `/stacks/${stack}?tab=${tab}`);
  return {
    nobody: ["/sign-in"],
    reader: ["/requests", "/stacks", "/approvals", "/projects", ...NOT_THERE],
    developer: [
      "/catalogue",
      "/catalogue/azure-linux-vm",
      "/catalogue/azure-linux-4-vm",
      "/catalogue/aks-node-pool",
      "/catalogue/azure-linux-vm/request",
      "/catalogue/azure-linux-4-vm/request",
      "/catalogue/aks-node-pool/request",
      ...[active, broken, hanging, deleted, long, denied, rejected, changes, withdrawn].map(({ request }) => `/requests/${request}`),
      `/requests/${denied.request}/edit`,
      `/requests/${changes.request}/edit`,
      ...[active, broken, hanging, deleted, long].map(({ stack }) => `/stacks/${stack}`),
      ...tabs(active.stack),
      ...tabs(long.stack).slice(0, 2),
      `/stacks/${active.stack}/delete`,
      `/stacks/${active.stack}/extend`,
      ...(await operations(active.stack)),
      ...(await operations(broken.stack)),
      ...(await operations(hanging.stack)),
      "/projects/payments",
      "/policies",
      "/me",
      "/docs",
    ],
    approver: ["/approvals?tab=decided", `/approvals?selected=${long.request}`],
    auditor: ["/audit", "/audit?action=request.approved"],
  };
}

/** A title, one first heading, and no scrolling sideways. */
async function expectWhole(page: Page): Promise<void> {
  await expect(page).toHaveTitle(/\S+ · Slipway$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(needs, `the page is ${needs} px wide in a window of ${has} px`).toBeLessThanOrEqual(has ?? 0);
}
