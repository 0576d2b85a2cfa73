/** The same job without JavaScript: every change is a form, running pages load themselves again. */

import { expect, signIn, test } from "../support/slipway.js";
import { fillVm } from "../support/vm.js";

test.use({ javaScriptEnabled: false });

test("a VM for dev, without a line of script", async ({ page, console }) => {
  // The browser is told to fetch the WebAssembly early, and says that nothing used it.
  console.allow(/preloaded using link preload but not used/);
  await signIn(page, "developer");
  await page.getByRole("link", { name: "Azure Linux VM", exact: true }).click();
  await page.getByRole("link", { name: "Request", exact: true }).click();

  // Sent empty, it comes back with what is missing beside each field, and keeps what was typed.
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Bad Name");
  await page.getByRole("button", { name: "Check" }).last().click();
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("Bad Name");
  await expect(page.getByText(/lower-case letters/i).first()).toBeVisible();
  await expect(page).toHaveTitle(/^Not ready: Request Azure Linux VM/);

  await fillVm(page, { name: "plain-worker", tier: "Dev" });
  // A stack in dev must expire: the form begins with 30 days, and offers no more than 90.
  await expect(page.getByLabel("Lives until")).toHaveValue("30d");
  await expect(page.getByRole("option", { name: "Until deleted" })).toBeDisabled();
  await page.getByRole("button", { name: "Check" }).last().click();
  await expect(page.getByText("Can be sent; nobody has to approve")).toBeVisible();
  await page.getByRole("button", { name: "Send request" }).click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);

  await page.getByRole("link", { name: "Stacks", exact: true }).first().click();
  await page.getByRole("link", { name: "plain-worker" }).click();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/ssh \S+@\S+/).first()).toBeVisible();

  const stack = page.url();
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByLabel(/name, typed again/).fill("plain-worker");
  await page.getByRole("button", { name: "Request deletion" }).click();
  await page.goto(stack);
  await expect(page.getByText("Deleted", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await page.getByRole("link", { name: "Stacks", exact: true }).first().click();
  await expect(page.getByRole("link", { name: "plain-worker" })).toHaveCount(0);
});
