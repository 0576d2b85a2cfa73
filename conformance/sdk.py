"""Microsoft's SDK for Python, unmodified, against `slipway sim`: the calls that an application would make, each checked for what it brings back."""

import os
import time
import uuid

from story import CA, CLIENT, ENDPOINT, KEY, SECRET, SUBSCRIPTION, TENANT, ask, end, expect, note, step

# requests, below the SDK, reads its extra roots from here.
os.environ["REQUESTS_CA_BUNDLE"] = CA
os.environ["SSL_CERT_FILE"] = CA

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError  # noqa: E402
from azure.identity import ClientAssertionCredential, ClientSecretCredential  # noqa: E402
from azure.mgmt.authorization import AuthorizationManagementClient  # noqa: E402
from azure.mgmt.compute import ComputeManagementClient  # noqa: E402
from azure.mgmt.containerservice import ContainerServiceClient  # noqa: E402
from azure.mgmt.msi import ManagedServiceIdentityClient  # noqa: E402
from azure.mgmt.network import NetworkManagementClient  # noqa: E402
from azure.mgmt.resource.deployments import DeploymentsMgmtClient  # noqa: E402
from azure.mgmt.resource.locks import ManagementLockClient  # noqa: E402
from azure.mgmt.resource.policy import PolicyClient  # noqa: E402
from azure.mgmt.resource.resources import ResourceManagementClient  # noqa: E402
from azure.mgmt.resource.subscriptions import SubscriptionClient  # noqa: E402

LOCATION = "westeurope"
GROUP = "rg-sdk"
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"

# A workload of a cluster needs no secret; the story then goes on with one.
workload = ClientAssertionCredential(TENANT, CLIENT, lambda: ask("POST", "/_sim/workload-token", {})["token"], authority=ENDPOINT, disable_instance_discovery=True)
step("identity: a token by a workload's assertion", lambda: expect(workload.get_token("https://management.azure.com/.default").token.count(".") == 2, "token"))
credential = ClientSecretCredential(TENANT, CLIENT, SECRET, authority=ENDPOINT, disable_instance_discovery=True)
pointing = {
    "base_url": ENDPOINT,
    "credential_scopes": ["https://management.azure.com/.default"],
}
# The simulator's Retry-After is a second; the SDK waits 30 s where a provider sends none, as AKS does.
polling = {"polling_interval": 1}
resources = ResourceManagementClient(credential, SUBSCRIPTION, **pointing, **polling)
deployments = DeploymentsMgmtClient(credential, SUBSCRIPTION, **pointing, **polling)
compute = ComputeManagementClient(credential, SUBSCRIPTION, **pointing, **polling)
network = NetworkManagementClient(credential, SUBSCRIPTION, **pointing, **polling)
aks = ContainerServiceClient(credential, SUBSCRIPTION, **pointing, **polling)
authorization = AuthorizationManagementClient(credential, SUBSCRIPTION, **pointing)
identities = ManagedServiceIdentityClient(credential, SUBSCRIPTION, **pointing)
locks = ManagementLockClient(credential, SUBSCRIPTION, **pointing)
policies = PolicyClient(credential, SUBSCRIPTION, **pointing)
subscriptions = SubscriptionClient(credential, **pointing)


def refused(act, code):
    """The call must fail with Azure's code; its error is handed back."""
    try:
        act()
    except HttpResponseError as error:
        seen = error.error.code if error.error else None
        expect(seen == code, f"wanted {code}, got {seen}: {error.message}")
        return error
    raise AssertionError(f"wanted {code}, but it went through")


# --- signing in, subscriptions, providers ---

def wrong_secret():
    try:
        ClientSecretCredential(TENANT, CLIENT, "wrong", authority=ENDPOINT, disable_instance_discovery=True).get_token("https://management.azure.com/.default")
    except ClientAuthenticationError as error:
        expect("AADSTS7000215" in str(error), str(error))
        return
    raise AssertionError("a wrong secret was taken")


def token():
    value = credential.get_token("https://management.azure.com/.default")
    expect(value.expires_on > time.time() + 3000, "expires too soon")
    expect(value.token.count(".") == 2, "not a JWT")


step("sign in with a secret", token)
step("a wrong secret is refused with AADSTS7000215", wrong_secret)
step("subscriptions: list", lambda: expect(SUBSCRIPTION in [s.subscription_id for s in subscriptions.subscriptions.list()], "missing"))
step("subscriptions: get", lambda: subscriptions.subscriptions.get(SUBSCRIPTION))
step("subscriptions: locations", lambda: expect(any(l.name == LOCATION for l in subscriptions.subscriptions.list_locations(SUBSCRIPTION)), "missing"))
step("tenants: list", lambda: expect([t.tenant_id for t in subscriptions.tenants.list()] == [TENANT], "wrong"))
step("providers: list", lambda: expect(any(p.namespace == "Microsoft.Compute" for p in resources.providers.list()), "missing"))
step("providers: get", lambda: expect(resources.providers.get("Microsoft.Network").registration_state == "Registered", "wrong"))
step("providers: register", lambda: resources.providers.register("Microsoft.ContainerService"))

# --- groups, tags, locks ---

step("groups: create", lambda: expect(resources.resource_groups.create_or_update(GROUP, {"location": "West Europe", "tags": {"team": "a"}}).location == LOCATION, "location"))
step("groups: update", lambda: expect(resources.resource_groups.update(GROUP, {"tags": {"team": "b"}}).tags == {"team": "b"}, "tags"))
step("groups: exists", lambda: expect(resources.resource_groups.check_existence(GROUP) and not resources.resource_groups.check_existence("rg-nowhere"), "existence"))
step("groups: get", lambda: expect(resources.resource_groups.get(GROUP.upper()).name == GROUP, "casing"))
step("groups: list by tag", lambda: expect([g.name for g in resources.resource_groups.list(filter="tagName eq 'team' and tagValue eq 'b'")] == [GROUP], "filter"))
step("groups: a missing one is ResourceGroupNotFound", lambda: refused(lambda: resources.resource_groups.get("rg-nowhere"), "ResourceGroupNotFound"))
step("tags: merge at scope", lambda: expect(resources.tags.begin_update_at_scope(SCOPE, {"operation": "Merge", "properties": {"tags": {"cost": "1"}}}).result().properties.tags == {"team": "b", "cost": "1"}, "tags"))
step("tags: read at scope", lambda: expect(resources.tags.get_at_scope(SCOPE).properties.tags["cost"] == "1", "tags"))


def lock():
    locks.management_locks.create_or_update_at_resource_group_level(GROUP, "keep", {"level": "CanNotDelete", "notes": "conformance"})
    refused(lambda: resources.resource_groups.begin_delete(GROUP), "ScopeLocked")
    expect([l.name for l in locks.management_locks.list_at_resource_group_level(GROUP)] == ["keep"], "list")
    expect(locks.management_locks.get_at_resource_group_level(GROUP, "keep").level == "CanNotDelete", "get")
    locks.management_locks.delete_at_resource_group_level(GROUP, "keep")
    expect(list(locks.management_locks.list_at_resource_group_level(GROUP)) == [], "gone")


step("locks: create, hold, list, get, delete", lock)

# --- identity and roles ---

identity = step("identities: create", lambda: identities.user_assigned_identities.create_or_update(GROUP, "id-sdk", {"location": LOCATION}))
step("identities: get", lambda: expect(identities.user_assigned_identities.get(GROUP, "id-sdk").principal_id == identity.principal_id, "principal"))
step("identities: list", lambda: expect(len(list(identities.user_assigned_identities.list_by_resource_group(GROUP))) == 1, "list"))
step("identities: update tags", lambda: expect(identities.user_assigned_identities.update(GROUP, "id-sdk", {"tags": {"a": "b"}}).tags == {"a": "b"}, "tags"))


def role():
    reader = next(iter(authorization.role_definitions.list(SCOPE, filter="roleName eq 'Reader'")))
    expect(reader.role_name == "Reader", "role name")
    name = str(uuid.uuid4())
    made = authorization.role_assignments.create(SCOPE, name, {"role_definition_id": reader.id, "principal_id": identity.principal_id, "principal_type": "ServicePrincipal"})
    expect(made.scope.lower() == SCOPE.lower(), made.scope)
    refused(lambda: authorization.role_assignments.create(SCOPE, str(uuid.uuid4()), {"role_definition_id": reader.id, "principal_id": identity.principal_id}), "RoleAssignmentExists")
    expect(name in [r.name for r in authorization.role_assignments.list_for_resource_group(GROUP)], "list")
    expect(authorization.role_assignments.get(SCOPE, name).principal_id == identity.principal_id, "get")
    authorization.role_assignments.delete(SCOPE, name)


step("roles: definitions, assign, twice, list, get, delete", role)

# --- network ---


def vnet():
    made = network.virtual_networks.begin_create_or_update(GROUP, "vnet", {
        "location": LOCATION,
        "properties": {"addressSpace": {"addressPrefixes": ["10.50.0.0/16"]}, "subnets": [{"name": "default", "properties": {"addressPrefix": "10.50.0.0/24"}}]},
    }).result()
    expect(made.provisioning_state == "Succeeded" and made.subnets[0].name == "default", made)
    return made


step("network: virtual network", vnet)
step("network: subnet", lambda: expect(network.subnets.begin_create_or_update(GROUP, "vnet", "apps", {"properties": {"addressPrefix": "10.50.1.0/24"}}).result().address_prefix == "10.50.1.0/24", "prefix"))
step("network: subnets list", lambda: expect(sorted(s.name for s in network.subnets.list(GROUP, "vnet")) == ["apps", "default"], "list"))
step("network: overlapping subnet is refused", lambda: refused(lambda: network.subnets.begin_create_or_update(GROUP, "vnet", "again", {"properties": {"addressPrefix": "10.50.1.0/25"}}).result(), "NetcfgSubnetRangesOverlap"))
nsg = step("network: security group", lambda: network.network_security_groups.begin_create_or_update(GROUP, "nsg", {"location": LOCATION, "properties": {"securityRules": [{"name": "ssh", "properties": {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "10.0.0.0/8", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}}]}}).result())
step("network: security rule", lambda: expect(network.security_rules.begin_create_or_update(GROUP, "nsg", "https", {"properties": {"priority": 110, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443"}}).result().priority == 110, "rule"))
step("network: security rules list", lambda: expect(sorted(r.name for r in network.security_rules.list(GROUP, "nsg")) == ["https", "ssh"], "list"))
step("network: public address", lambda: expect(network.public_ip_addresses.begin_create_or_update(GROUP, "pip", {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}).result().ip_address, "address"))
step("network: NAT gateway", lambda: network.nat_gateways.begin_create_or_update(GROUP, "nat", {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {"idleTimeoutInMinutes": 4}}).result())


def nic():
    subnet = network.subnets.get(GROUP, "vnet", "apps")
    made = network.network_interfaces.begin_create_or_update(GROUP, "nic", {
        "location": LOCATION,
        "properties": {"networkSecurityGroup": {"id": nsg.id}, "ipConfigurations": [{"name": "ipconfig1", "properties": {"subnet": {"id": subnet.id}}}]},
    }).result()
    expect(made.ip_configurations[0].private_ip_address == "10.50.1.4", made.ip_configurations[0].private_ip_address)
    return made


interface = step("network: interface", nic)
step("network: tags of an interface", lambda: expect(network.network_interfaces.update_tags(GROUP, "nic", {"tags": {"a": "b"}}).tags == {"a": "b"}, "tags"))
step("network: list all interfaces", lambda: expect("nic" in [n.name for n in network.network_interfaces.list_all()], "list"))
step("network: a subnet in use cannot go", lambda: refused(lambda: network.subnets.begin_delete(GROUP, "vnet", "apps").result(), "InUseSubnetCannotBeDeleted"))
step("network: usages", lambda: list(network.usages.list(LOCATION)))

# --- compute: reading ---

step("compute: sizes with their capabilities", lambda: expect(any(s.name == "Standard_D2ds_v6" and any(c.name == "vCPUs" for c in s.capabilities) for s in compute.resource_skus.list(filter="location eq 'westeurope'")), "sku"))
step("compute: usages", lambda: expect(any(u.name.value == "cores" and u.limit > 0 for u in compute.usage.list(LOCATION)), "cores"))
step("images: publishers", lambda: expect("MicrosoftCBLMariner" in [p.name for p in compute.virtual_machine_images.list_publishers(LOCATION)], "publisher"))
step("images: offers", lambda: expect([o.name for o in compute.virtual_machine_images.list_offers(LOCATION, "MicrosoftCBLMariner")] == ["azure-linux-3"], "offer"))
step("images: SKUs", lambda: expect("azure-linux-3-gen2" in [s.name for s in compute.virtual_machine_images.list_skus(LOCATION, "MicrosoftCBLMariner", "azure-linux-3")], "sku"))
versions = step("images: newest version", lambda: compute.virtual_machine_images.list(LOCATION, "MicrosoftCBLMariner", "azure-linux-3", "azure-linux-3-gen2", top=1, orderby="name desc"))
step("images: one version", lambda: expect(compute.virtual_machine_images.get(LOCATION, "MicrosoftCBLMariner", "azure-linux-3", "azure-linux-3-gen2", versions[0].name).hyper_v_generation == "V2", "generation"))

# --- disks ---


def disk():
    made = compute.disks.begin_create_or_update(GROUP, "data", {"location": LOCATION, "sku": {"name": "Premium_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 32}}).result()
    expect(made.disk_state == "Unattached" and made.disk_size_gb == 32, made.disk_state)
    grown = compute.disks.begin_update(GROUP, "data", {"properties": {"diskSizeGB": 64}}).result()
    expect(grown.disk_size_gb == 64, "size")
    refused(lambda: compute.disks.begin_update(GROUP, "data", {"properties": {"diskSizeGB": 16}}).result(), "ResizeDiskError")
    return made


data_disk = step("disks: create, grow, never shrink", disk)
step("disks: list", lambda: expect([d.name for d in compute.disks.list_by_resource_group(GROUP)] == ["data"], "list"))

# --- machines ---


def machine_body(name, size="Standard_D2ds_v6"):
    return {
        "location": LOCATION,
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": {"publisher": "MicrosoftCBLMariner", "offer": "azure-linux-3", "sku": "azure-linux-3-gen2", "version": "latest"},
                "osDisk": {"createOption": "FromImage", "diskSizeGB": 32, "deleteOption": "Delete", "managedDisk": {"storageAccountType": "Premium_LRS"}},
                "dataDisks": [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": data_disk.id}}],
            },
            "osProfile": {"computerName": name, "adminUsername": "azureops", "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"path": "/home/azureops/.ssh/authorized_keys", "keyData": KEY}]}}},
            "networkProfile": {"networkInterfaces": [{"id": interface.id}]},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        },
    }


def machine():
    made = compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine_body("vm")).result()
    expect(made.provisioning_state == "Succeeded" and made.vm_id, made.provisioning_state)
    expect(made.security_profile.security_type == "TrustedLaunch", "trusted launch is the default")
    return made


def power():
    return [s.code for s in compute.virtual_machines.instance_view(GROUP, "vm").statuses if s.code.startswith("PowerState/")]


def change_power(act, wanted):
    act(GROUP, "vm").result()
    expect(power() == [f"PowerState/{wanted}"], power())


step("machines: create", machine)
step("machines: get", lambda: expect(compute.virtual_machines.get(GROUP, "vm").hardware_profile.vm_size == "Standard_D2ds_v6", "size"))
step("machines: get with instance view", lambda: expect(compute.virtual_machines.get(GROUP, "vm", expand="instanceView").instance_view.vm_agent, "agent"))
step("machines: list", lambda: expect([m.name for m in compute.virtual_machines.list(GROUP)] == ["vm"], "list"))
step("machines: list of the subscription", lambda: expect("vm" in [m.name for m in compute.virtual_machines.list_all()], "list"))
step("machines: instance view", lambda: expect(power() == ["PowerState/running"], power()))
step("machines: power off", lambda: change_power(compute.virtual_machines.begin_power_off, "stopped"))
step("machines: start", lambda: change_power(compute.virtual_machines.begin_start, "running"))
step("machines: restart", lambda: change_power(compute.virtual_machines.begin_restart, "running"))
step("machines: deallocate", lambda: change_power(compute.virtual_machines.begin_deallocate, "deallocated"))
step("machines: update tags", lambda: expect(compute.virtual_machines.begin_update(GROUP, "vm", {"tags": {"a": "b"}}).result().tags == {"a": "b"}, "tags"))
step("machines: its data disk is attached", lambda: expect(compute.disks.get(GROUP, "data").disk_state in ("Attached", "Reserved"), compute.disks.get(GROUP, "data").disk_state))
step("machines: the image cannot change", lambda: refused(lambda: compute.virtual_machines.begin_create_or_update(GROUP, "vm", {**machine_body("vm"), "properties": {**machine_body("vm")["properties"], "osProfile": {**machine_body("vm")["properties"]["osProfile"], "adminUsername": "other", "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"path": "/home/other/.ssh/authorized_keys", "keyData": KEY}]}}}}}).result(), "PropertyChangeNotAllowed"))
step("machines: started again", lambda: change_power(compute.virtual_machines.begin_start, "running"))
step("machines: run a command", lambda: expect(compute.virtual_machines.begin_run_command(GROUP, "vm", {"commandId": "RunShellScript", "script": ["id"]}).result().value[0].code.startswith("ProvisioningState/succeeded"), "code"))
step("machines: assess patches", lambda: expect(compute.virtual_machines.begin_assess_patches(GROUP, "vm").result().status == "Succeeded", "status"))
step("machines: sizes", lambda: expect(any(s.name == "Standard_D2ds_v6" for s in compute.virtual_machine_sizes.list(LOCATION)), "size"))


def extension():
    made = compute.virtual_machine_extensions.begin_create_or_update(GROUP, "vm", "AADSSHLogin", {"location": LOCATION, "properties": {"publisher": "Microsoft.Azure.ActiveDirectory", "type": "AADSSHLoginForLinux", "typeHandlerVersion": "1.0", "autoUpgradeMinorVersion": True, "protectedSettings": {"secret": "x"}}}).result()
    expect(made.provisioning_state == "Succeeded" and made.protected_settings is None, "secret is shown")
    expect([e.name for e in compute.virtual_machine_extensions.list(GROUP, "vm").value] == ["AADSSHLogin"], "list")
    compute.virtual_machine_extensions.begin_delete(GROUP, "vm", "AADSSHLogin").result()
    refused(lambda: compute.virtual_machine_extensions.get(GROUP, "vm", "AADSSHLogin"), "ResourceNotFound")


step("extensions: create, list, delete", extension)
step("machines: a size that is not offered is refused", lambda: refused(lambda: compute.virtual_machines.begin_create_or_update(GROUP, "vm2", machine_body("vm2", "Standard_Nope_v9")).result(), "InvalidParameter"))

# --- policy ---


def policy():
    definition = policies.policy_definitions.create_or_update("sizes", {"properties": {
        "policyType": "Custom", "mode": "Indexed", "displayName": "Allowed sizes",
        "parameters": {"sizes": {"type": "Array"}},
        "policyRule": {
            "if": {"allOf": [{"field": "type", "equals": "Microsoft.Compute/virtualMachines"}, {"not": {"field": "Microsoft.Compute/virtualMachines/sku.name", "in": "[parameters('sizes')]"}}]},
            "then": {"effect": "deny"},
        },
    }})
    policies.policy_assignments.create(SCOPE, "only-small", {"properties": {"displayName": "Only small", "policyDefinitionId": definition.id, "parameters": {"sizes": {"value": ["Standard_D2ds_v6"]}}}})
    expect("only-small" in [a.name for a in policies.policy_assignments.list_for_resource_group(GROUP)], "list")
    error = refused(lambda: compute.virtual_machines.begin_create_or_update(GROUP, "big", machine_body("big", "Standard_D4ds_v6")).result(), "RequestDisallowedByPolicy")
    expect(error.status_code == 403 and error.error.target == "big", f"{error.status_code} {error.error.target}")
    info = error.error.additional_info[0]
    expect(info.type == "PolicyViolation", info)
    details = info.info["evaluationDetails"]["evaluatedExpressions"]
    expect(any(row["path"] == "properties.hardwareProfile.vmSize" and row["expressionValue"] == "Standard_D4ds_v6" and row["result"] == "False" for row in details), details)
    expect(info.info["policyAssignmentName"] == "only-small", info)
    policies.policy_assignments.delete(SCOPE, "only-small")
    policies.policy_definitions.delete("sizes")


step("policy: a definition, an assignment, a denied PUT with its evaluation, gone again", policy)

# --- deployments ---

TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {"name": {"type": "string"}, "secret": {"type": "securestring", "defaultValue": "hidden"}},
    "resources": [
        {"type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2025-05-01", "name": "[parameters('name')]", "location": "[resourceGroup().location]", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
        {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2025-05-01", "name": "[concat(parameters('name'), '-nsg')]", "location": "[resourceGroup().location]", "dependsOn": ["[resourceId('Microsoft.Network/publicIPAddresses', parameters('name'))]"], "properties": {}},
    ],
    "outputs": {"address": {"type": "string", "value": "[reference(parameters('name')).ipAddress]"}},
}


def deployment(name):
    return {"properties": {"mode": "Incremental", "template": TEMPLATE, "parameters": {"name": {"value": name}}}}


step("deployments: validate", lambda: expect(len(deployments.deployments.begin_validate(GROUP, "one", deployment("one")).result().properties.validated_resources) == 2, "resources"))
step("deployments: what-if", lambda: expect([c.change_type for c in deployments.deployments.begin_what_if(GROUP, "one", deployment("one")).result().changes if c.change_type != "Ignore"] == ["Create", "Create"], "changes"))


def deploy():
    made = deployments.deployments.begin_create_or_update(GROUP, "one", deployment("one")).result()
    expect(made.properties.provisioning_state == "Succeeded", made.properties.provisioning_state)
    expect(made.properties.outputs["address"]["value"].startswith("203.0.113."), made.properties.outputs)
    expect("value" not in made.properties.parameters["secret"], "a secret is shown")
    return made


step("deployments: create", deploy)
step("deployments: get", lambda: deployments.deployments.get(GROUP, "one"))
step("deployments: exists", lambda: expect(deployments.deployments.check_existence(GROUP, "one"), "existence"))
step("deployments: list", lambda: expect([d.name for d in deployments.deployments.list_by_resource_group(GROUP)] == ["one"], "list"))
step("deployments: operations", lambda: expect(sorted(o.properties.target_resource.resource_type for o in deployments.deployment_operations.list(GROUP, "one") if o.properties.target_resource) == ["Microsoft.Network/networkSecurityGroups", "Microsoft.Network/publicIPAddresses"], "operations"))
step("deployments: export", lambda: expect(deployments.deployments.export_template(GROUP, "one").template["contentVersion"] == "1.0.0.0", "template"))
step("deployments: what-if again finds nothing to do", lambda: expect({c.change_type for c in deployments.deployments.begin_what_if(GROUP, "one", deployment("one")).result().changes} <= {"NoChange", "Ignore"}, "changes"))
step("deployments: an invalid template is refused", lambda: refused(lambda: deployments.deployments.begin_validate(GROUP, "bad", {"properties": {"mode": "Incremental", "template": TEMPLATE, "parameters": {}}}).result(), "InvalidTemplate"))


def cancel():
    ask("POST", "/_sim/faults", {"method": "PUT", "path": "/publicIPAddresses/slow", "times": 1, "action": {"type": "hang"}})
    poller = deployments.deployments.begin_create_or_update(GROUP, "slow", deployment("slow"))
    time.sleep(1)
    deployments.deployments.cancel(GROUP, "slow")
    expect(deployments.deployments.get(GROUP, "slow").properties.provisioning_state == "Canceled", "state")
    try:
        poller.result(timeout=30)
    except HttpResponseError:
        pass
    refused(lambda: deployments.deployments.cancel(GROUP, "slow"), "DeploymentCannotBeCancelled")


step("deployments: cancel", cancel)


def subscription_scope():
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [{"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "rg-sdk-sub", "location": LOCATION, "properties": {}}],
    }
    body = {"location": LOCATION, "properties": {"mode": "Incremental", "template": template}}
    expect(len(deployments.deployments.begin_validate_at_subscription_scope("sub-sdk", body).result().properties.validated_resources) == 1, "validate")
    made = deployments.deployments.begin_create_or_update_at_subscription_scope("sub-sdk", body).result()
    expect(made.properties.provisioning_state == "Succeeded" and made.location == LOCATION, made.properties.provisioning_state)
    expect(resources.resource_groups.check_existence("rg-sdk-sub"), "group")
    expect("sub-sdk" in [d.name for d in deployments.deployments.list_at_subscription_scope()], "list")
    resources.resource_groups.begin_delete("rg-sdk-sub").result()


step("deployments: at subscription scope", subscription_scope)

# --- AKS ---

POOL = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v6", "osType": "Linux", "type": "VirtualMachineScaleSets"}


def cluster():
    made = aks.managed_clusters.begin_create_or_update(GROUP, "aks", {
        "location": LOCATION, "identity": {"type": "SystemAssigned"},
        "properties": {"dnsPrefix": "aks-sdk", "kubernetesVersion": "1.34", "agentPoolProfiles": [POOL]},
    }).result()
    expect(made.provisioning_state == "Succeeded" and made.fqdn, made.provisioning_state)
    expect(made.node_resource_group == f"MC_{GROUP}_aks_{LOCATION}", made.node_resource_group)


def pool():
    made = aks.agent_pools.begin_create_or_update(GROUP, "aks", "apps", {"properties": {"count": 1, "vmSize": "Standard_D2ds_v6", "osType": "Linux", "mode": "User"}}).result()
    expect(made.provisioning_state == "Succeeded" and made.node_image_version, made.provisioning_state)
    scaled = aks.agent_pools.begin_create_or_update(GROUP, "aks", "apps", {"properties": {"count": 3, "vmSize": "Standard_D2ds_v6", "osType": "Linux", "mode": "User"}}).result()
    expect(scaled.count == 3, scaled.count)


def upgrade():
    profile = aks.managed_clusters.get_upgrade_profile(GROUP, "aks")
    target = [u.kubernetes_version for u in profile.control_plane_profile.upgrades if u.kubernetes_version.startswith("1.35")][-1]
    seen = aks.managed_clusters.get(GROUP, "aks")
    seen.kubernetes_version = target
    expect(aks.managed_clusters.begin_create_or_update(GROUP, "aks", seen).result().current_kubernetes_version == target, "version")
    versions = aks.agent_pools.get_upgrade_profile(GROUP, "aks", "apps")
    expect(versions.latest_node_image_version, "image")
    pool = aks.agent_pools.get(GROUP, "aks", "apps")
    pool.orchestrator_version = target
    expect(aks.agent_pools.begin_create_or_update(GROUP, "aks", "apps", pool).result().current_orchestrator_version == target, "pool version")
    aks.agent_pools.begin_upgrade_node_image_version(GROUP, "aks", "apps").result()


step("AKS: versions", lambda: expect(any(v.version == "1.35" for v in aks.managed_clusters.list_kubernetes_versions(LOCATION).values_property), "version"))
step("AKS: create a cluster", cluster)
step("AKS: list", lambda: expect("aks" in [c.name for c in aks.managed_clusters.list()], "list"))
step("AKS: a pool, scaled", pool)
step("AKS: pools list", lambda: expect(sorted(p.name for p in aks.agent_pools.list(GROUP, "aks")) == ["apps", "system"], "list"))
step("AKS: available versions of a pool", lambda: expect(aks.agent_pools.get_available_agent_pool_versions(GROUP, "aks").agent_pool_versions, "versions"))
step("AKS: upgrade cluster, pool and node image", upgrade)
step("AKS: credentials", lambda: expect(b"apiVersion" in aks.managed_clusters.list_cluster_user_credentials(GROUP, "aks").kubeconfigs[0].value, "kubeconfig"))
step("AKS: update tags", lambda: expect(aks.managed_clusters.begin_update_tags(GROUP, "aks", {"tags": {"a": "b"}}).result().tags == {"a": "b"}, "tags"))
step("AKS: stop", lambda: aks.managed_clusters.begin_stop(GROUP, "aks").result())
step("AKS: stopped", lambda: expect(aks.managed_clusters.get(GROUP, "aks").power_state.code == "Stopped", "power"))
step("AKS: start", lambda: aks.managed_clusters.begin_start(GROUP, "aks").result())
step("AKS: delete the pool", lambda: aks.agent_pools.begin_delete(GROUP, "aks", "apps").result())
step("AKS: delete the cluster", lambda: aks.managed_clusters.begin_delete(GROUP, "aks").result())

# --- taking things away ---

step("resources: list of the group", lambda: expect("vm" in [r.name for r in resources.resources.list_by_resource_group(GROUP)], "list"))
step("resources: by id", lambda: expect(resources.resources.get_by_id(f"{SCOPE}/providers/Microsoft.Compute/virtualMachines/vm", api_version="2024-07-01").name == "vm", "by id"))
step("machines: delete", lambda: compute.virtual_machines.begin_delete(GROUP, "vm").result())
step("machines: gone", lambda: refused(lambda: compute.virtual_machines.get(GROUP, "vm"), "ResourceNotFound"))
step("network: delete the interface", lambda: network.network_interfaces.begin_delete(GROUP, "nic").result())
step("disks: delete", lambda: compute.disks.begin_delete(GROUP, "data").result())
step("deployments: delete", lambda: deployments.deployments.begin_delete(GROUP, "one").result())
step("groups: delete", lambda: resources.resource_groups.begin_delete(GROUP).result())


def gone():
    try:
        resources.resource_groups.get(GROUP)
    except ResourceNotFoundError:
        return
    raise AssertionError("still there")


step("groups: gone", gone)
note("sdk")
end()
