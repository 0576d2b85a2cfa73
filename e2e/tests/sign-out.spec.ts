/** Signing out: the sign-in page follows, and the browser keeps nothing of the person who was here. */

import { expect, signIn, test } from "../support/slipway.js";

test("signing out leaves nothing behind", async ({ page, context }) => {
  await signIn(page, "developer");
  await page.evaluate(() => localStorage.setItem("left", "behind"));
  await page.goto("/requests");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await expect(page.getByRole("button", { name: /^developer/i })).toBeVisible();
  expect(await context.cookies()).toEqual([]);
  expect(await page.evaluate(() => localStorage.getItem("left"))).toBeNull();
  // The page before is not shown again.
  await page.goto("/requests");
  await expect(page).toHaveURL(/\/sign-in\?next=%2Frequests$/);
  // And the next person signs in as usual.
  await signIn(page, "reader");
});
