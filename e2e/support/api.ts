/** The REST API and the simulator's own surface, for what a test needs to be there before it looks at pages. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { request as requests, type APIRequestContext, type Page } from "@playwright/test";

import { KEY } from "./vm.js";
import { signIn, type Slipway } from "./slipway.js";

/** The REST API as a persona: signs in, makes a token, and uses that. */
export async function apiAs(page: Page, slipway: Slipway, persona: string): Promise<APIRequestContext> {
  await signIn(page, persona);
  const made = await page.request.post("/api/v1/me/tokens", {
    headers: { "Sec-Fetch-Site": "same-origin" },
    data: { name: "e2e", days: 1 },
  });
  if (!made.ok()) throw new Error(`no token: ${made.status()} ${await made.text()}`);
  const { value } = (await made.json()) as { value: string };
  return requests.newContext({ baseURL: slipway.url, extraHTTPHeaders: { Authorization: `Bearer ${value}` } });
}

/** `/_sim` of the simulator in the server's process: faults on order, the request log, the clock. */
export async function simulator(slipway: Slipway): Promise<APIRequestContext> {
  const settings = JSON.parse(await readFile(join(slipway.data, "azure-sim/azure.json"), "utf8")) as Settings;
  const baseURL = new URL(settings.resource_manager).origin;
  const { client_id, client_secret } = settings.credential;
  const anonymous = await requests.newContext({ baseURL, ignoreHTTPSErrors: true });
  const given = await anonymous.post(`/${settings.tenant_id}/oauth2/v2.0/token`, {
    form: { grant_type: "client_credentials", client_id, client_secret, scope: `${settings.audience}/.default` },
  });
  if (!given.ok()) throw new Error(`no token of the simulator: ${given.status()} ${await given.text()}`);
  const { access_token } = (await given.json()) as { access_token: string };
  await anonymous.dispose();
  return requests.newContext({ baseURL, ignoreHTTPSErrors: true, extraHTTPHeaders: { Authorization: `Bearer ${access_token}` } });
}

/** The parts of `azure.json` that lead to the simulator. */
interface Settings {
  resource_manager: string;
  tenant_id: string;
  audience: string;
  credential: { client_id: string; client_secret: string };
}

export interface Sent {
  /** The request's id. */
  request: string;
  /** The stack's id. */
  stack: string;
}

interface Project {
  settings: { tiers: Record<string, { subnets: { id: string; region: string }[] }> };
}

/** A request for a VM as people send it, with anything changed. */
export async function sendVm(api: APIRequestContext, name: string, changes: Record<string, unknown> = {}): Promise<Sent> {
  const tier = String(changes["tier"] ?? "dev");
  const project = (await (await api.get("/api/v1/projects/payments")).json()) as Project;
  const subnet = project.settings.tiers[tier]?.subnets.find(({ region }) => region === "westeurope");
  const answer = await api.post("/api/v1/requests", {
    data: {
      project: "payments",
      tier,
      template: "azure-linux-vm@1.0.0",
      name,
      region: "westeurope",
      zone: "1",
      cost_centre: "4410",
      expiry: "30d",
      justification: "The test wants it.",
      parameters: { vmSize: "Standard_D2ds_v6", subnetId: subnet?.id, sshPublicKey: KEY },
      ...changes,
    },
  });
  if (!answer.ok()) throw new Error(`${name} was refused: ${answer.status()} ${await answer.text()}`);
  const { summary } = (await answer.json()) as { summary: { id: string; stack: string } };
  return { request: summary.id, stack: summary.stack };
}

/** Waits until a stack or request says it is in one of these states. */
export async function until(api: APIRequestContext, path: string, states: string[]): Promise<string> {
  let last = "";
  for (let tries = 0; tries < 400; tries += 1) {
    const answer = await api.get(path);
    const { summary } = (await answer.json()) as { summary: { state: string } };
    last = summary.state;
    if (states.includes(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  throw new Error(`${path} is ${last} and did not become ${states.join(" or ")}`);
}
