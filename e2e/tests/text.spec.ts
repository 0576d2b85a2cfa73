/** Text that people typed is text: in a field that the server wrote, after the page comes alive, and after the form is drawn anew. */

import { apiAs, sendVm } from "../support/api.js";
import { expect, signIn, test } from "../support/slipway.js";

const TEXT = `first </textarea></title><b>bold</b>\n\n&amp; "quoted" 'text'`;
const LINE = TEXT.replaceAll("\n", " ");

test("a text area holds what was typed, whatever it is", async ({ page, slipway }) => {
  const api = await apiAs(page, slipway, "developer");
  // Until deleted is denied in dev: the request can be edited.
  const { request } = await sendVm(api, "quoted", { expiry: "", justification: TEXT, tags: { note: LINE } });
  await page.goto(`/requests/${request}/edit`);
  await expect(page.locator("html[data-ready]")).toBeAttached();
  const justification = page.getByLabel("Justification", { exact: false });
  await expect(justification).toHaveValue(TEXT);
  await expect(page.getByLabel("Tags", { exact: false })).toHaveValue(`note=${LINE}`);
  await expect(page.locator("main b", { hasText: "bold" })).toHaveCount(0);

  // Another tier has other choices: the browser makes the fields anew, and keeps what was typed.
  await justification.fill(`\n${TEXT}`);
  await page.getByRole("radio", { name: "Test" }).check({ force: true });
  await expect(page.getByRole("radio", { name: "Test" })).toBeChecked();
  await expect(justification).toHaveValue(`\n${TEXT}`);
  await expect(page.getByLabel("Tags", { exact: false })).toHaveValue(`note=${LINE}`);
  await expect(page.locator("main b", { hasText: "bold" })).toHaveCount(0);
});

test("lists and maps are typed line by line, and an empty one is an empty field", async ({ page }) => {
  await signIn(page, "developer");
  await page.goto("/catalogue/aks-node-pool/request");
  const taints = page.getByLabel("Taints", { exact: false });
  const labels = page.getByLabel("Labels", { exact: false });
  for (const field of [taints, labels]) {
    await expect(field).toHaveValue("");
    await expect(field).toHaveAttribute("placeholder", /./);
  }
  await taints.fill("dedicated=batch:NoSchedule\nspot=true:NoExecute");
  await labels.fill("team=payments");
  await expect(page.getByText(/Each line is/)).toHaveCount(0);
  await labels.fill("team payments");
  await expect(page.getByText("Write one name=value on each line.").first()).toBeVisible();
});
