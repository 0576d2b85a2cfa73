/** The queue's keys act on the row that has the focus, on what is shown of it, and say what they did. */

import { apiAs, sendVm } from "../support/api.js";
import { expect, signIn, test } from "../support/slipway.js";

test("a key decides the focused row and no other", async ({ page, slipway }) => {
  const developer = await apiAs(page, slipway, "developer");
  const first = await sendVm(developer, "first-row", { tier: "prod" });
  const second = await sendVm(developer, "second-row", { tier: "prod" });
  const third = await sendVm(developer, "third-row", { tier: "prod" });
  const state = async ({ request }: { request: string }) => {
    const { summary } = (await (await developer.get(`/api/v1/requests/${request}`)).json()) as { summary: { state: string } };
    return summary.state;
  };

  await signIn(page, "approver");
  await page.goto("/approvals");
  await expect(page.locator("html[data-ready]")).toBeAttached();
  const row = (name: string) => page.locator("#queue").getByRole("link", { name: new RegExp(name) });
  const said = page.locator("[data-queue=said]");
  await expect(row("first-row")).toHaveAttribute("aria-current", "true");

  // The pane shows the first request, the focus is on the second: the key opens the second and decides nothing.
  await row("second-row").focus();
  await page.keyboard.press("a");
  await expect(row("second-row")).toHaveAttribute("aria-current", "true");
  await expect(row("second-row")).toBeFocused();
  await expect(said).toHaveText(/Opened .*second-row.* Press a again to approve\./);
  expect([await state(first), await state(second), await state(third)]).toEqual(Array(3).fill("awaiting_approval"));

  // Escape takes the question back.
  await page.keyboard.press("a");
  await expect(page.getByRole("dialog", { name: /second-row/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(row("second-row")).toBeFocused();
  expect(await state(second)).toBe("awaiting_approval");

  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await expect(row("second-row")).toHaveCount(0);
  await expect(said).toHaveText(/Approved .*second-row/);
  // The keys go on from the next row without a mouse.
  await expect(row("third-row")).toBeFocused();
  expect(await state(first)).toBe("awaiting_approval");
  expect(["approved", "executing", "completed"]).toContain(await state(second));

  // r leads to the comment, and Ctrl+Enter rejects the row it came from.
  await page.keyboard.press("r");
  await expect(page.getByRole("textbox", { name: "Comment" })).toBeFocused();
  await page.keyboard.type("Not this week.");
  await page.keyboard.press("Control+Enter");
  await expect(row("third-row")).toHaveCount(0);
  expect(await state(third)).toBe("rejected");
  expect(await state(first)).toBe("awaiting_approval");
});
