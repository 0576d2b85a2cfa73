/** Filling the request form of a VM, as people do. */

import type { Page } from "@playwright/test";

export const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUdVK0aeED2PJKPLfPRWSr6dvPFFSA0uE0M5/6j6AtM developer";

export async function fillVm(page: Page, vm: { name: string; tier: "Dev" | "Test" | "Prod" }): Promise<void> {
  // The radio lies under its label, which is what people press.
  await page.getByRole("radio", { name: vm.tier }).check({ force: true });
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(vm.name);
  await page.getByLabel("SSH public key").fill(KEY);
}
