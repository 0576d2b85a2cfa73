"""Writes down which members the bodies of Azure's resources have, as Microsoft's SDK for Python knows them: names, JSON types, what is read-only,
which words an enumeration takes. The simulator checks bodies by these tables (crates/azure-sim/src/providers/members.rs).

Run it with the interpreter of the virtual environment that `cargo xtask test conformance -- sdk` makes, when requirements-sdk.txt has changed:

    target/conformance/sdk-*/bin/python conformance/members.py
"""

import datetime
import decimal
import enum
import importlib
import importlib.metadata
import json
import pathlib
import types
import typing

OUT = pathlib.Path(__file__).parent.parent / "crates/azure-sim/src/providers/members"

ROOTS = {
    "compute": {
        "Microsoft.Compute/disks": "Disk",
        "Microsoft.Compute/sshPublicKeys": "SshPublicKeyResource",
        "Microsoft.Compute/virtualMachines": "VirtualMachine",
        "Microsoft.Compute/virtualMachines/extensions": "VirtualMachineExtension",
    },
    "network": {
        "Microsoft.Network/natGateways": "NatGateway",
        "Microsoft.Network/networkInterfaces": "NetworkInterface",
        "Microsoft.Network/networkSecurityGroups": "NetworkSecurityGroup",
        "Microsoft.Network/networkSecurityGroups/securityRules": "SecurityRule",
        "Microsoft.Network/publicIPAddresses": "PublicIPAddress",
        "Microsoft.Network/virtualNetworks": "VirtualNetwork",
        "Microsoft.Network/virtualNetworks/subnets": "Subnet",
    },
    "containerservice": {
        "Microsoft.ContainerService/managedClusters": "ManagedCluster",
        "Microsoft.ContainerService/managedClusters/agentPools": "AgentPool",
    },
}

SCALARS = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    decimal.Decimal: "number",
    datetime.datetime: "string",
    datetime.date: "string",
    datetime.time: "string",
    datetime.timedelta: "string",
    bytes: "string",
}

# Catalogues that grow without a new version of the API: any word may be one of them.
OPEN = {"DiskApiVersion", "VirtualMachineSizeTypes"}


class Table:
    def __init__(self, package):
        self.models = importlib.import_module(f"azure.mgmt.{package}.models")
        self.scope = {}
        for part in ("_models", "_enums"):
            module = importlib.import_module(f"azure.mgmt.{package}.models.{part}")
            self.scope |= vars(module)
        self.scope["_models"] = self.models
        self.types = {}
        self.enums = {}

    def shape(self, hint):
        """A type hint as one word: `string`, `[OSDisk]`, `{string}`, the name of a type or an enumeration, `any`."""
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            parts = [part for part in typing.get_args(hint) if part is not type(None)]
            words = [part for part in parts if isinstance(part, type) and issubclass(part, enum.Enum)]
            if words:
                return self.words(words[0])
            return self.shape(parts[0]) if len(parts) == 1 else "any"
        if origin is list:
            return f"[{self.shape(typing.get_args(hint)[0])}]"
        if origin is dict:
            return f"{{{self.shape(typing.get_args(hint)[1])}}}"
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return self.words(hint)
        if hint in SCALARS:
            return SCALARS[hint]
        if isinstance(hint, type) and hasattr(hint, "_deserialize"):
            return self.members(hint)
        return "any"

    def words(self, words):
        if words.__name__ in OPEN:
            return "string"
        self.enums[words.__name__] = [word.value for word in words]
        return words.__name__

    def members(self, model):
        name = model.__name__
        if name in self.types:
            return name
        self.types[name] = found = {}
        for base in reversed(model.__mro__):
            fields = {field: value for field, value in vars(base).items() if type(value).__name__ == "_RestField"}
            if not fields:
                continue
            hints = typing.get_type_hints(base, self.scope)
            for field, value in fields.items():
                read_only = value._visibility == ["read"]
                found[value._rest_name_input or field] = self.shape(hints[field]) + ("!" if read_only else "")
        return name


def lines(rows):
    return ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(rows.items()))


for package, roots in ROOTS.items():
    table = Table(package)
    for root in roots.values():
        table.members(getattr(table.models, root))
    version = importlib.metadata.version(f"azure-mgmt-{package}")
    OUT.mkdir(exist_ok=True)
    (OUT / f"{package}.json").write_text(
        f'{{\n  "source": "azure-mgmt-{package} {version}",\n'
        f'  "resources": {{\n{lines(roots)}\n  }},\n'
        f'  "types": {{\n{lines(table.types)}\n  }},\n'
        f'  "enums": {{\n{lines(table.enums)}\n  }}\n}}\n'
    )
    print(package, version, len(table.types), "types", len(table.enums), "enumerations")
