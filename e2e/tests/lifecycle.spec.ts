/** What else happens to a stack: a node pool, an operation that fails and is tried again, one that hangs and is cancelled, a plan that is denied and mended. */

import { apiAs, sendVm, simulator, until } from "../support/api.js";
import { expect, expectAccessible, signIn, test } from "../support/slipway.js";

test("a node pool in a cluster of the project", async ({ page }) => {
  await signIn(page, "developer");
  await page.getByRole("link", { name: "AKS node pool", exact: true }).click();
  await page.getByRole("link", { name: "Request", exact: true }).click();
  await page.getByRole("radio", { name: "Dev" }).check({ force: true });
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("batch-nodes");
  await page.getByLabel("Pool name").fill("batch");
  await page.getByLabel("Lives until").selectOption({ label: "30 days" });
  // What the pool may grow to counts: with a fourth node it could cost so much that somebody has to approve.
  await page.getByLabel("Most nodes").fill("4");
  await expect(page.getByText("Can be sent; it needs approval")).toBeVisible();
  await page.getByLabel("Most nodes").fill("3");
  await expect(page.getByText("Can be sent; nobody has to approve")).toBeVisible();
  await page.getByRole("button", { name: "Send request" }).click();
  await page.waitForURL(/\/requests\/[0-9a-f-]{36}$/);
  await page.getByRole("link", { name: "Stacks", exact: true }).first().click();
  await page.getByRole("link", { name: "batch-nodes" }).click();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/kubectl /).first()).toBeVisible();
  await page.getByRole("link", { name: /^Posture/ }).first().click();
  await expect(page.getByText("AKS-032").first()).toBeAttached();
});

test("an allocation fails: the page says why, and trying again goes on", async ({ page, slipway }) => {
  const faults = await simulator(slipway);
  await faults.post("/_sim/faults", {
    data: {
      method: "PUT",
      path: "virtualMachines/vm-unlucky$",
      times: 1,
      action: { type: "fail", code: "AllocationFailed", message: "Allocation failed. We do not have sufficient capacity for the requested VM size in this region." },
    },
  });
  const api = await apiAs(page, slipway, "developer");
  const { stack } = await sendVm(api, "unlucky");
  await page.goto(`/stacks/${stack}`);
  await expect(page.getByText("Failed", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("AllocationFailed").first()).toBeVisible();
  await expect(page.getByText(/sufficient capacity/).first()).toBeVisible();
  await page.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible({ timeout: 60_000 });

  // Power, and more time to live: neither needs a plan of resources.
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(page.getByText("Stopped", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await page.goto(`/stacks/${stack}`);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await page.goto(`/stacks/${stack}`);
  await page.getByRole("link", { name: "Extend" }).click();
  await expectAccessible(page);
  await page.getByLabel("Lives until").selectOption("90d");
  await page.getByRole("button", { name: "Request extension" }).click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  await until(api, `/api/v1/requests/${page.url().split("/").pop()}`, ["completed"]);
});

test("an operation that hangs is cancelled, and what it made can be deleted", async ({ page, slipway }) => {
  const faults = await simulator(slipway);
  await faults.post("/_sim/faults", { data: { method: "PUT", path: "virtualMachines/vm-stuck$", times: 1, action: { type: "hang" } } });
  const api = await apiAs(page, slipway, "developer");
  const { stack } = await sendVm(api, "stuck");
  await page.goto(`/stacks/${stack}`);
  await expect(page.getByText(/Deployment slipway-stuck-/).first()).toBeVisible({ timeout: 30_000 });
  await page.getByRole("button", { name: "Cancel" }).first().click();
  await until(api, `/api/v1/stacks/${stack}`, ["failed"]);
  // The address of a form leads to what it belongs to.
  const operation = (await (await api.get(`/api/v1/stacks/${stack}`)).json()).operations[0].id;
  await page.goto(`/operations/${operation}/cancel`);
  await expect(page).toHaveURL(`/operations/${operation}`);
  await page.goto(`/stacks/${stack}`);
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByLabel(/name, typed again/).fill("stuck");
  await page.getByRole("button", { name: "Request deletion" }).click();
  await until(api, `/api/v1/stacks/${stack}`, ["deleted"]);
});

test("a denied request says what to change, and is mended with everything kept", async ({ page, slipway }) => {
  const api = await apiAs(page, slipway, "developer");
  const { request } = await sendVm(api, "denied-worker", { expiry: "", justification: "We want to see what happens." });
  await page.goto(`/requests/${request}`);
  await expect(page.getByText("Denied", { exact: true }).first()).toBeVisible();
  await expect(page.getByText("GR-007").first()).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "Edit" }).first().click();
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("denied-worker");
  await expect(page.getByLabel("Justification", { exact: false })).toHaveValue("We want to see what happens.");
  const verdict = page.getByRole("complementary", { name: "Verdict" });
  await expect(verdict.getByText("GR-007").first()).toBeVisible();
  await page.getByLabel("Lives until").selectOption({ label: "30 days" });
  await expect(verdict.getByText("Can be sent; nobody has to approve")).toBeVisible();
  await page.getByRole("button", { name: "Send request" }).click();
  await expect(page).toHaveURL(new RegExp(`/requests/${request}$`));
  await until(api, `/api/v1/requests/${request}`, ["completed"]);
});

test("a request is talked about and withdrawn, a token works until it is revoked", async ({ page, slipway, request }) => {
  const api = await apiAs(page, slipway, "developer");
  const sent = await sendVm(api, "second-thoughts", { tier: "prod" });
  await page.goto(`/requests/${sent.request}`);
  await page.getByLabel("Comment").fill("<b>Is this still needed?</b>");
  await page.getByRole("button", { name: "Comment" }).click();
  await expect(page.getByText("<b>Is this still needed?</b>")).toBeVisible();
  await page.getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByText("Withdrawn", { exact: true }).first()).toBeVisible();

  await page.goto("/me");
  await page.getByLabel("What it is for").fill("nightly job");
  await page.getByRole("button", { name: "Make token" }).click();
  const value = await page.locator("#new-token").innerText();
  const whoami = () => request.get("/api/v1/me", { headers: { Authorization: `Bearer ${value}` } });
  expect((await whoami()).status()).toBe(200);
  // Loading the page again shows no value and makes no second token.
  await page.reload();
  await expect(page.locator("#new-token")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Revoke nightly job" })).toHaveCount(1);
  await page.goto("/me");
  await expect(page.getByText(value)).toHaveCount(0);
  await page.getByRole("button", { name: "Revoke nightly job" }).click();
  await expect(page.getByRole("button", { name: "Revoke nightly job" })).toHaveCount(0);
  expect((await whoami()).status()).toBe(401);
});

test("a page that is followed notices that its reader signed out, and asks to sign in once", async ({ page, slipway, console, context }) => {
  // The stream that the browser opens again is refused; that is what tells the page.
  console.allow(/status of 401/);
  const api = await apiAs(page, slipway, "developer");
  const sent = await sendVm(api, "left-open", { tier: "prod" });
  await page.goto(`/requests/${sent.request}`);
  await expect(page.locator("#live")).toBeAttached();
  // Written in the other tab, seen in this one: the stream works.
  await api.post(`/api/v1/requests/${sent.request}/comments`, { data: { text: "Look at this." } });
  await expect(page.getByText("Look at this.")).toBeVisible();
  let loads = 0;
  page.on("load", () => (loads += 1));
  const other = await context.newPage();
  await other.goto("/me");
  await other.getByRole("button", { name: "Sign out" }).click();
  await other.waitForURL(/\/sign-in/);
  await page.waitForURL(/\/sign-in\?next=/, { timeout: 30_000 });
  await page.waitForTimeout(3_000);
  expect(loads).toBe(1);
});
