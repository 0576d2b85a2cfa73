"""The Azure CLI, unmodified, against `slipway sim` over https: what a person would type, each command checked for what it prints."""

import json
import os
import subprocess
import tempfile

from story import CA, CLIENT, ENDPOINT, SECRET, SUBSCRIPTION, TENANT, ask, end, expect, note, step

AZ = os.environ["AZ"]
HOME = tempfile.mkdtemp(prefix="slipway-az-")
ENVIRONMENT = {
    **os.environ,
    # A configuration, keys and credentials of its own: nothing of the user's is read or changed.
    "HOME": HOME,
    "AZURE_CONFIG_DIR": os.path.join(HOME, "azure"),
    "REQUESTS_CA_BUNDLE": CA,
    # The authority is not one of Microsoft's: it is not looked up among them.
    "AZURE_CORE_INSTANCE_DISCOVERY": "false",
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
    "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
    "AZURE_CORE_DISPLAY_REGION_IDENTIFIED": "false",
    "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
}
IMAGE = "MicrosoftCBLMariner:azure-linux-3:azure-linux-3-gen2:latest"
G = ["-g", "rg-az"]


def run(*arguments):
    return subprocess.run([AZ, *arguments, "-o", "json"], env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


def az(*arguments):
    """The command must go through; what it prints is handed back."""
    done = run(*arguments)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip()[-600:])
    return json.loads(done.stdout) if done.stdout.strip() else None


def refused(code, *arguments):
    """The command must fail, and say Azure's code."""
    done = run(*arguments)
    expect(done.returncode != 0, f"wanted {code}, but it went through")
    expect(code in done.stderr, f"wanted {code}, got: {done.stderr.strip()[-400:]}")


def template(name, content):
    path = os.path.join(HOME, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    return path


# --- the cloud, signing in ---

step("az cloud register", lambda: az("cloud", "register", "-n", "Simulator", "--endpoint-resource-manager", ENDPOINT))
step("az cloud set", lambda: az("cloud", "set", "-n", "Simulator"))
step("az login with a wrong secret", lambda: refused("AADSTS7000215", "login", "--service-principal", "-u", CLIENT, "-p", "wrong", "--tenant", TENANT))

def federated(**wish):
    """Signs in with the token that a cluster projects for a workload."""
    token = ask("POST", "/_sim/workload-token", wish)["token"]
    return ["login", "--service-principal", "-u", CLIENT, "--federated-token", token, "--tenant", TENANT]


step("az login with the token of another workload", lambda: refused("AADSTS700213", *federated(subject="system:serviceaccount:default:default")))
step("az login --federated-token", lambda: expect(any(s["id"] == SUBSCRIPTION for s in az(*federated())), "subscription"))
step("az login --service-principal", lambda: expect(any(s["id"] == SUBSCRIPTION for s in az("login", "--service-principal", "-u", CLIENT, "-p", SECRET, "--tenant", TENANT)), "subscription"))
step("az account set", lambda: az("account", "set", "-s", SUBSCRIPTION))
step("az account show", lambda: expect(az("account", "show")["user"]["type"] == "servicePrincipal", "user"))
step("az account list-locations", lambda: expect(any(l["name"] == "westeurope" for l in az("account", "list-locations")), "location"))
step("az provider show", lambda: expect(az("provider", "show", "-n", "Microsoft.Compute")["registrationState"] == "Registered", "state"))
step("az rest", lambda: expect(az("rest", "--method", "get", "--url", f"/subscriptions/{SUBSCRIPTION}/resourcegroups?api-version=2021-04-01")["value"], "groups"))

# --- group, lock, tags ---

step("az group create", lambda: expect(az("group", "create", "-n", "rg-az", "-l", "westeurope", "--tags", "team=a")["location"] == "westeurope", "location"))
step("az group exists", lambda: expect(az("group", "exists", "-n", "rg-az") is True, "exists"))
step("az lock create", lambda: az("lock", "create", *G, "-n", "keep", "--lock-type", "CanNotDelete"))
step("az lock list", lambda: expect([l["name"] for l in az("lock", "list", *G)] == ["keep"], "list"))
step("az group delete, locked", lambda: refused("ScopeLocked", "group", "delete", "-n", "rg-az", "-y"))
step("az lock delete", lambda: az("lock", "delete", *G, "-n", "keep"))
step("az tag update", lambda: expect(az("tag", "update", "--resource-id", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-az", "--operation", "Merge", "--tags", "cost=1")["properties"]["tags"] == {"team": "a", "cost": "1"}, "tags"))
step("az identity create", lambda: expect(az("identity", "create", *G, "-n", "id-az")["principalId"], "principal"))
step("az role assignment create", lambda: az("role", "assignment", "create", "--role", "Reader", "--assignee-object-id", az("identity", "show", *G, "-n", "id-az")["principalId"], "--assignee-principal-type", "ServicePrincipal", "--scope", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-az"))

# --- network ---

step("az network vnet create", lambda: az("network", "vnet", "create", *G, "-n", "vnet", "--address-prefixes", "10.60.0.0/16", "--subnet-name", "default", "--subnet-prefixes", "10.60.0.0/24"))
step("az network nsg create", lambda: az("network", "nsg", "create", *G, "-n", "nsg"))
step("az network nsg rule create", lambda: az("network", "nsg", "rule", "create", *G, "--nsg-name", "nsg", "-n", "ssh", "--priority", "100", "--destination-port-ranges", "22", "--access", "Allow", "--protocol", "Tcp"))
step("az network nsg rule list", lambda: expect([r["name"] for r in az("network", "nsg", "rule", "list", *G, "--nsg-name", "nsg")] == ["ssh"], "rules"))
step("az network vnet subnet create", lambda: az("network", "vnet", "subnet", "create", *G, "--vnet-name", "vnet", "-n", "apps", "--address-prefixes", "10.60.1.0/24", "--network-security-group", "nsg"))
step("az network vnet subnet update", lambda: az("network", "vnet", "subnet", "update", *G, "--vnet-name", "vnet", "-n", "apps", "--default-outbound-access", "false"))
step("az network public-ip create", lambda: az("network", "public-ip", "create", *G, "-n", "pip", "--sku", "Standard"))
step("az network nic create", lambda: az("network", "nic", "create", *G, "-n", "nic", "--vnet-name", "vnet", "--subnet", "default", "--network-security-group", "nsg"))
step("az network nic show", lambda: expect(az("network", "nic", "show", *G, "-n", "nic")["ipConfigurations"][0]["privateIPAddress"] == "10.60.0.4", "address"))

# --- disks and machines ---

step("az vm list-skus", lambda: expect(any(s["name"] == "Standard_D2ds_v6" for s in az("vm", "list-skus", "-l", "westeurope", "--size", "Standard_D2")), "size"))
step("az vm list-usage", lambda: expect(any(u["name"]["value"] == "cores" for u in az("vm", "list-usage", "-l", "westeurope")), "cores"))
step("az vm image list --all", lambda: expect(az("vm", "image", "list", "-l", "westeurope", "-p", "MicrosoftCBLMariner", "--all"), "images"))
step("az vm image show", lambda: expect(az("vm", "image", "show", "-l", "westeurope", "--urn", IMAGE)["hyperVGeneration"] == "V2", "generation"))
step("az disk create", lambda: expect(az("disk", "create", *G, "-n", "data", "--size-gb", "32")["diskState"] == "Unattached", "state"))
step("az disk update", lambda: expect(az("disk", "update", *G, "-n", "data", "--size-gb", "64")["diskSizeGB"] == 64, "size"))
step("az vm create, in a network", lambda: expect(az("vm", "create", *G, "-n", "vm1", "--image", IMAGE, "--size", "Standard_D2ds_v6", "--admin-username", "azureops", "--generate-ssh-keys", "--public-ip-address", "", "--nsg", "", "--vnet-name", "vnet", "--subnet", "default")["powerState"] == "VM running", "power"))
step("az vm create, with an interface and a disk", lambda: az("vm", "create", *G, "-n", "vm2", "--image", IMAGE, "--size", "Standard_D2ds_v6", "--admin-username", "azureops", "--generate-ssh-keys", "--nics", "nic", "--attach-data-disks", "data"))
step("az vm show -d", lambda: expect(az("vm", "show", *G, "-n", "vm1", "-d")["powerState"] == "VM running", "power"))
step("az vm list", lambda: expect(sorted(m["name"] for m in az("vm", "list", *G)) == ["vm1", "vm2"], "list"))
step("az vm get-instance-view", lambda: expect(az("vm", "get-instance-view", *G, "-n", "vm1")["instanceView"]["statuses"][1]["code"] == "PowerState/running", "status"))
step("az vm stop", lambda: az("vm", "stop", *G, "-n", "vm1"))
step("az vm start", lambda: az("vm", "start", *G, "-n", "vm1"))
step("az vm restart", lambda: az("vm", "restart", *G, "-n", "vm1"))
step("az vm run-command invoke", lambda: expect(az("vm", "run-command", "invoke", *G, "-n", "vm1", "--command-id", "RunShellScript", "--scripts", "id")["value"], "value"))
step("az vm assess-patches", lambda: expect(az("vm", "assess-patches", *G, "-n", "vm1")["status"] == "Succeeded", "status"))
step("az vm extension set", lambda: expect(az("vm", "extension", "set", *G, "--vm-name", "vm1", "-n", "AADSSHLoginForLinux", "--publisher", "Microsoft.Azure.ActiveDirectory")["provisioningState"] == "Succeeded", "state"))
step("az vm extension list", lambda: expect(len(az("vm", "extension", "list", *G, "--vm-name", "vm1")) == 1, "list"))
step("az vm disk attach --new", lambda: az("vm", "disk", "attach", *G, "--vm-name", "vm1", "-n", "more", "--new", "--size-gb", "16"))
step("az vm update --set", lambda: expect(az("vm", "update", *G, "-n", "vm1", "--set", "tags.a=b")["tags"] == {"a": "b"}, "tags"))
step("az vm deallocate", lambda: az("vm", "deallocate", *G, "-n", "vm1"))
step("az vm resize", lambda: expect(az("vm", "resize", *G, "-n", "vm1", "--size", "Standard_D4ds_v6")["hardwareProfile"]["vmSize"] == "Standard_D4ds_v6", "size"))
step("az vm delete", lambda: az("vm", "delete", *G, "-n", "vm2", "-y"))

# --- deployments; az reads templates with comments ---

ONE = template("one.json", """{
  // What a deployment makes.
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"name": {"type": "string"}},
  "resources": [{"type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2025-05-01", "name": "[parameters('name')]", "location": "[resourceGroup().location]", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}],
  "outputs": {"address": {"type": "string", "value": "[reference(parameters('name')).ipAddress]"}}
}""")
SUB = template("sub.json", """{
  "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [{"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "rg-az-sub", "location": "westeurope", "properties": {}}]
}""")
DEPLOY = [*G, "-n", "one", "-f", ONE, "-p", "name=one"]

step("az deployment group validate", lambda: expect(az("deployment", "group", "validate", *DEPLOY)["properties"]["provisioningState"] == "Succeeded", "state"))
step("az deployment group what-if", lambda: expect([c["changeType"] for c in az("deployment", "group", "what-if", "--no-pretty-print", *DEPLOY)["changes"] if c["changeType"] != "Ignore"] == ["Create"], "changes"))
step("az deployment group create", lambda: expect(az("deployment", "group", "create", *DEPLOY)["properties"]["outputs"]["address"]["value"], "output"))
step("az deployment group show", lambda: expect(az("deployment", "group", "show", *G, "-n", "one")["properties"]["provisioningState"] == "Succeeded", "state"))
step("az deployment group list", lambda: expect("one" in [d["name"] for d in az("deployment", "group", "list", *G)], "list"))
step("az deployment operation group list", lambda: expect(az("deployment", "operation", "group", "list", *G, "-n", "one"), "operations"))
step("az deployment group export", lambda: expect(az("deployment", "group", "export", *G, "-n", "one")["contentVersion"] == "1.0.0.0", "template"))


def cancel():
    ask("POST", "/_sim/faults", {"method": "PUT", "path": "/publicIPAddresses/slow", "times": 1, "action": {"type": "hang"}})
    az("deployment", "group", "create", *G, "-n", "slow", "-f", ONE, "-p", "name=slow", "--no-wait")
    az("deployment", "group", "cancel", *G, "-n", "slow")
    expect(az("deployment", "group", "show", *G, "-n", "slow")["properties"]["provisioningState"] == "Canceled", "state")
    refused("DeploymentCannotBeCancelled", "deployment", "group", "cancel", *G, "-n", "slow")


step("az deployment group cancel", cancel)
step("az deployment group create, a parameter missing", lambda: refused("name", "deployment", "group", "create", *G, "-n", "bad", "-f", ONE, "--no-prompt"))
step("az deployment group delete", lambda: az("deployment", "group", "delete", *G, "-n", "one"))
step("az deployment sub validate", lambda: az("deployment", "sub", "validate", "-l", "westeurope", "-n", "sub-az", "-f", SUB))
step("az deployment sub create", lambda: expect(az("deployment", "sub", "create", "-l", "westeurope", "-n", "sub-az", "-f", SUB)["properties"]["provisioningState"] == "Succeeded", "state"))
step("az deployment sub show", lambda: expect(az("deployment", "sub", "show", "-n", "sub-az")["location"] == "westeurope", "location"))
step("az group delete, what the deployment made", lambda: az("group", "delete", "-n", "rg-az-sub", "-y"))

# --- policy ---

RULE = json.dumps({"if": {"allOf": [{"field": "type", "equals": "Microsoft.Compute/disks"}, {"field": "Microsoft.Compute/disks/sku.name", "notIn": "[parameters('skus')]"}]}, "then": {"effect": "deny"}})
step("az policy definition create", lambda: az("policy", "definition", "create", "-n", "disk-skus", "--mode", "Indexed", "--rules", RULE, "--params", '{"skus": {"type": "Array"}}'))
step("az policy assignment create", lambda: az("policy", "assignment", "create", *G, "-n", "premium", "--policy", "disk-skus", "--params", '{"skus": {"value": ["Premium_LRS"]}}'))
step("az policy assignment create, built in", lambda: az("policy", "assignment", "create", *G, "-n", "here", "--policy", "e56962a6-4747-49cd-b67b-bf8b01975c4c", "--params", '{"listOfAllowedLocations": {"value": ["westeurope"]}}'))
step("az policy assignment list", lambda: expect(sorted(a["name"] for a in az("policy", "assignment", "list", *G)) == ["here", "premium"], "list"))
step("az disk create, denied by both", lambda: refused("RequestDisallowedByPolicy", "disk", "create", *G, "-n", "no", "-l", "northeurope", "--size-gb", "4", "--sku", "Standard_LRS"))
step("az policy assignment delete", lambda: (az("policy", "assignment", "delete", *G, "-n", "premium"), az("policy", "assignment", "delete", *G, "-n", "here")))
step("az policy definition delete", lambda: az("policy", "definition", "delete", "-n", "disk-skus"))

# --- AKS ---

K = [*G, "--cluster-name", "aks"]
step("az aks get-versions", lambda: expect(az("aks", "get-versions", "-l", "westeurope")["values"], "versions"))
step("az aks create", lambda: expect(az("aks", "create", *G, "-n", "aks", "--node-count", "1", "--node-vm-size", "Standard_D4ds_v6", "--generate-ssh-keys")["provisioningState"] == "Succeeded", "state"))
step("az aks show", lambda: expect(az("aks", "show", *G, "-n", "aks")["fqdn"], "fqdn"))
step("az aks nodepool add", lambda: expect(az("aks", "nodepool", "add", *K, "-n", "apps", "--node-count", "1", "--node-vm-size", "Standard_D2ds_v6", "--os-sku", "AzureLinux")["provisioningState"] == "Succeeded", "state"))
step("az aks nodepool scale", lambda: expect(az("aks", "nodepool", "scale", *K, "-n", "apps", "-c", "2")["count"] == 2, "count"))
step("az aks nodepool list", lambda: expect(sorted(p["name"] for p in az("aks", "nodepool", "list", *K)) == ["apps", "nodepool1"], "list"))
step("az aks nodepool get-upgrades", lambda: expect(az("aks", "nodepool", "get-upgrades", *K, "--nodepool-name", "apps")["latestNodeImageVersion"], "image"))
step("az aks nodepool upgrade --node-image-only", lambda: az("aks", "nodepool", "upgrade", *K, "-n", "apps", "--node-image-only", "-y"))
step("az aks get-upgrades", lambda: expect(az("aks", "get-upgrades", *G, "-n", "aks")["controlPlaneProfile"]["upgrades"], "upgrades"))
step("az aks upgrade", lambda: az("aks", "upgrade", *G, "-n", "aks", "-k", "1.36.3", "-y"))
step("az aks get-credentials", lambda: az("aks", "get-credentials", *G, "-n", "aks", "-f", os.path.join(HOME, "kubeconfig")))
step("az aks nodepool delete", lambda: az("aks", "nodepool", "delete", *K, "-n", "apps"))
step("az aks stop", lambda: az("aks", "stop", *G, "-n", "aks"))
step("az aks start", lambda: az("aks", "start", *G, "-n", "aks"))
step("az aks delete", lambda: az("aks", "delete", *G, "-n", "aks", "-y"))

step("az resource list", lambda: expect("vm1" in [r["name"] for r in az("resource", "list", *G)], "list"))
step("az group delete", lambda: az("group", "delete", "-n", "rg-az", "-y"))
step("az group exists, no more", lambda: expect(az("group", "exists", "-n", "rg-az") is False, "exists"))
note("az")
end()
