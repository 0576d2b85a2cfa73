/** Two projects on one cluster: whoever wants a node pool that is taken reads it beside the field, and not whose it is. */

import type { Page } from "@playwright/test";

import { apiAs, until } from "../support/api.js";
import { expect, signIn, test, type Slipway } from "../support/slipway.js";

const CLUSTER =
  "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-platform-dev/providers/Microsoft.ContainerService/managedClusters/aks-dev-westeurope";
const SUBNET =
  "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-platform-dev/providers/Microsoft.Network/virtualNetworks/vnet-dev-westeurope/subnets/workload";

/** A pool of Payments' that runs. */
async function paymentsPool(page: Page, slipway: Slipway, stack: string, pool: string): Promise<void> {
  const payments = await apiAs(page, slipway, "developer");
  const sent = await payments.post("/api/v1/requests", {
    data: {
      project: "payments",
      tier: "dev",
      template: "aks-node-pool@1.0.0",
      name: stack,
      region: "westeurope",
      cost_centre: "4410",
      expiry: "30d",
      justification: "The test wants it.",
      parameters: { clusterId: CLUSTER, poolName: pool, subnetId: SUBNET, vmSize: "Standard_D2ds_v6", minCount: 1, maxCount: 1 },
    },
  });
  expect(sent.status(), await sent.text()).toBe(201);
  const { summary } = (await sent.json()) as { summary: { stack: string } };
  expect(await until(payments, `/api/v1/stacks/${summary.stack}`, ["active", "failed"])).toBe("active");
  await page.context().clearCookies();
}

/** The form of a node pool as the developer of another project sees it. */
async function ledgerForm(page: Page): Promise<void> {
  await signIn(page, "ledger developer");
  await page.getByRole("link", { name: "AKS node pool", exact: true }).click();
  await page.getByRole("link", { name: "Request", exact: true }).click();
  await page.getByRole("radio", { name: "Dev" }).check({ force: true });
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("batch");
}

const TAKEN = /node pool \w+ exists already, or is reserved, and belongs to another stack/i;

test("another project's node pool is refused beside its field while it is typed", async ({ page, slipway, console }) => {
  console.allow(/422/);
  await paymentsPool(page, slipway, "settlement", "shared");
  await ledgerForm(page);
  const pool = page.getByRole("textbox", { name: "Pool name" });
  await pool.fill("shared");
  await expect(pool).toHaveAccessibleDescription(TAKEN);
  await expect(page.getByText("settlement")).toHaveCount(0);
  await expect(page.getByText("Payments")).toHaveCount(0);
  await pool.fill("other");
  await expect(pool).not.toHaveAccessibleDescription(TAKEN);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the form comes back with what is wrong beside the field", async ({ page, slipway, console }) => {
    console.allow(/preloaded using link preload but not used|422/);
    await paymentsPool(page, slipway, "clearing", "clearing");
    await ledgerForm(page);
    const pool = page.getByRole("textbox", { name: "Pool name" });
    await pool.fill("clearing");
    await page.getByRole("button", { name: "Check" }).last().click();
    await expect(pool).toHaveAccessibleDescription(TAKEN);
    await expect(pool).toHaveValue("clearing");
  });
});
