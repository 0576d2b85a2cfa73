/** The main job, told by a mouse: pick a template, see the verdict, approve, provision, delete, audit. With JavaScript. */

import { expect, expectAccessible, signIn, test } from "../support/slipway.js";
import { fillVm, KEY } from "../support/vm.js";

test("a VM for prod, from the empty form to nothing left", async ({ page, slipway, console }) => {
  // The deletion is sent once with a wrong name, and the browser notes the answer.
  console.allow(/status of 422/);
  await signIn(page, "developer");
  await expect(page.getByRole("heading", { level: 1, name: "Catalogue" })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "Azure Linux VM", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: /Azure Linux VM/ })).toBeVisible();
  await expect(page.getByText("Secure Boot", { exact: false }).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Request", exact: true }).click();

  // The verdict follows what is typed: prod needs an approval, and says whose.
  await expect(page.getByRole("heading", { level: 1, name: /^Request/ })).toBeVisible();
  await fillVm(page, { name: "settlement-worker", tier: "Prod" });
  await page.getByLabel("Justification", { exact: false }).fill("Second worker for the settlement queue.");
  const verdict = page.getByRole("complementary", { name: "Verdict" });
  await expect(verdict.getByText("Can be sent; it needs approval")).toBeVisible();
  await expect(verdict.getByText("platform-approvers").first()).toBeVisible();
  await expect(verdict.getByText(/a month/).first()).toBeVisible();
  await expectAccessible(page);

  // The README's picture; made anew with SLIPWAY_PICTURES=1 cargo xtask test browser.
  if (process.env["SLIPWAY_PICTURES"]) await page.screenshot({ path: "docs/images/request.png" });

  // What is wrong stands beside its field, and the verdict names it.
  await page.getByLabel("SSH public key").fill("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----");
  await expect(page.getByText(/private key/i).first()).toBeVisible();
  await page.getByLabel("SSH public key").fill(KEY);
  await expect(verdict.getByText("Can be sent; it needs approval")).toBeVisible();

  // A double click makes one request.
  await page.getByRole("button", { name: "Send request" }).dblclick();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  const request = page.url();
  await expect(page.getByText("Waits for approval").first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Requests", exact: true }).first().click();
  await expect(page.getByRole("link", { name: /settlement-worker/ })).toHaveCount(1);
  await expectAccessible(page);

  // The requester cannot approve, and reads why.
  await page.goto(request);
  await expect(page.getByRole("button", { name: "Approve" })).toBeDisabled();

  // The approver finds it in the queue, with why it needs them.
  await signIn(page, "approver");
  await page.getByRole("link", { name: /^Approvals/ }).first().click();
  await expect(page.getByRole("link", { name: /settlement-worker/ }).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("Comment").fill("Agreed.");
  await page.getByRole("button", { name: "Approve" }).click();
  await expect(page.getByText("Nothing waits for you").first()).toBeVisible();

  // It runs by itself; the stack's page follows it, without a reload.
  await signIn(page, "developer");
  await page.getByRole("link", { name: "Stacks", exact: true }).first().click();
  await page.getByRole("link", { name: "settlement-worker" }).click();
  await expect(page.getByText(/Deployment slipway-settlement-worker-/).first()).toBeVisible();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/ssh \S+@\S+/).first()).toBeVisible();
  await expectAccessible(page);
  const stack = page.url();
  for (const tab of ["Resources", "Posture", "Cost", "Changes", "Activity"]) {
    await page.getByRole("link", { name: new RegExp(`^${tab}`) }).first().click();
    await expect(page).toHaveURL(new RegExp(`tab=${tab.toLowerCase()}`));
    await expectAccessible(page);
  }

  // Deleting asks for the name, and prod wants the approver again.
  await page.goto(stack);
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByLabel(/name, typed again/).fill("settlement");
  await page.getByRole("button", { name: "Request deletion" }).click();
  await expect(page.getByText(/settlement-worker/).first()).toBeVisible();
  await page.getByLabel(/name, typed again/).fill("settlement-worker");
  await page.getByLabel("Why").fill("The queue is empty for good.");
  await page.getByRole("button", { name: "Request deletion" }).click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  const deletion = page.url();
  await signIn(page, "approver");
  await page.goto(deletion);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.goto(stack);
  await expect(page.getByText("Deleted", { exact: true }).first()).toBeVisible({ timeout: 60_000 });

  // Who did what, in order.
  await signIn(page, "auditor");
  await page.getByRole("link", { name: "Audit", exact: true }).first().click();
  await expect(page.getByText("request.approved").first()).toBeVisible();
  await expectAccessible(page);
  expect(slipway.log()).not.toContain("PRIVATE KEY");
});
