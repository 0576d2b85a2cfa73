/** Two projects on one cluster: whoever wants a node pool that is taken reads it beside the field, and not whose it is. */

import { apiAs, until } from "../support/api.js";
import { expect, signIn, test } from "../support/slipway.js";

const CLUSTER =
  "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-platform-dev/providers/Microsoft.ContainerService/managedClusters/aks-dev-westeurope";
const SUBNET =
  "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-platform-dev/providers/Microsoft.Network/virtualNetworks/vnet-dev-westeurope/subnets/workload";

test("another project's node pool cannot be requested again", async ({ page, slipway, console }) => {
  // The form that comes back is an answer 422, which the browser writes down.
  console.allow(/422/);
  const payments = await apiAs(page, slipway, "developer");
  const sent = await payments.post("/api/v1/requests", {
    data: {
      project: "payments",
      tier: "dev",
      template: "aks-node-pool@1.0.0",
      name: "settlement",
      region: "westeurope",
      cost_centre: "4410",
      expiry: "30d",
      justification: "The test wants it.",
      parameters: { clusterId: CLUSTER, poolName: "shared", subnetId: SUBNET, vmSize: "Standard_D2ds_v6", minCount: 1, maxCount: 1 },
    },
  });
  expect(sent.status()).toBe(201);
  const { summary } = (await sent.json()) as { summary: { stack: string } };
  expect(await until(payments, `/api/v1/stacks/${summary.stack}`, ["active", "failed"])).toBe("active");

  await page.context().clearCookies();
  await signIn(page, "ledger-developer".replace("-", " "));
  await page.getByRole("link", { name: "AKS node pool", exact: true }).click();
  await page.getByRole("link", { name: "Request", exact: true }).click();
  await page.getByRole("radio", { name: "Dev" }).check({ force: true });
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("batch");
  const pool = page.getByRole("textbox", { name: "Pool name" });
  await pool.fill("shared");
  await page.getByRole("button", { name: "Check" }).last().click();

  await expect(pool).toHaveAccessibleDescription(/node pool shared exists already, or is reserved, and belongs to another stack/i);
  await expect(page.getByText(/settlement|payments/i)).toHaveCount(0);

  await pool.fill("other");
  await page.getByRole("button", { name: "Check" }).last().click();
  await expect(pool).not.toHaveAccessibleDescription(/belongs to another stack/i);
});
