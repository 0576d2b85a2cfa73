/** The same job with the keyboard alone: Tab, Enter, Space, arrows, and the single keys of the queue. */

import type { Locator, Page } from "@playwright/test";

import { expect, test } from "../support/slipway.js";
import { KEY } from "../support/vm.js";

/** Presses Tab until `target` has the focus: what cannot be reached so cannot be used. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 150; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reaches ${target}`);
}

async function press(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press("Enter");
}

async function signInByKeys(page: Page, persona: string): Promise<void> {
  await page.goto("/sign-in");
  await press(page, page.getByRole("button", { name: new RegExp(`^${persona}`, "i") }));
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
}

/** The approver decides what waits in the queue with its single key. */
async function approveByKeys(page: Page): Promise<void> {
  await signInByKeys(page, "approver");
  await press(page, page.getByRole("link", { name: /^Approvals/ }).first());
  await expect(page.locator("html[data-ready]")).toBeAttached();
  await tabTo(page, page.getByRole("link", { name: /keyboard-worker/ }).first());
  // One key may not decide by itself: it asks once more. Where another request is shown, the first press only opens this one.
  await expect(async () => {
    await page.keyboard.press("a");
    await expect(page.getByRole("dialog", { name: /Approve .*keyboard-worker/ })).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Nothing waits for you").first()).toBeVisible();
  await expect(page.locator("[data-queue=said]")).toHaveText(/Approved .*keyboard-worker/);
}

test("a VM for prod, without a mouse", async ({ page }) => {
  await signInByKeys(page, "developer");
  await press(page, page.getByRole("link", { name: "Azure Linux VM", exact: true }));
  await press(page, page.getByRole("link", { name: "Request", exact: true }));

  await expect(page.locator("html[data-ready]")).toBeAttached();
  await tabTo(page, page.getByRole("radio", { name: "Dev" }));
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("radio", { name: "Prod" })).toBeChecked();
  await tabTo(page, page.getByRole("textbox", { name: "Name", exact: true }));
  await page.keyboard.type("keyboard-worker");
  await tabTo(page, page.getByLabel("SSH public key"));
  await page.keyboard.type(KEY);
  await tabTo(page, page.getByLabel("Justification", { exact: false }));
  await page.keyboard.type("A worker that nobody clicked.");
  await expect(page.getByText("Can be sent; it needs approval")).toBeVisible();
  await press(page, page.getByRole("button", { name: "Send request" }));
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);

  await approveByKeys(page);

  await signInByKeys(page, "developer");
  await press(page, page.getByRole("link", { name: "Stacks", exact: true }).first());
  await press(page, page.getByRole("link", { name: "keyboard-worker" }));
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await press(page, page.getByRole("link", { name: "Delete" }));
  await tabTo(page, page.getByLabel(/name, typed again/));
  await page.keyboard.type("keyboard-worker");
  await tabTo(page, page.getByLabel("Why"));
  await page.keyboard.type("The end of the test.");
  await press(page, page.getByRole("button", { name: "Request deletion" }));
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  await expect(page.getByText("Awaiting approval").first()).toBeVisible();

  // Prod wants the approver for the end, too.
  await approveByKeys(page);
  await signInByKeys(page, "auditor");
  await press(page, page.getByRole("link", { name: "Audit", exact: true }).first());
  await expect(page.getByText("request.approved")).toHaveCount(2);
});
