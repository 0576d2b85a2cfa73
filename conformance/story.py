"""What the two conformance stories share: where the simulator is, how a step is counted, how a refusal is expected."""

import json
import os
import re
import sys
import time
import traceback
import urllib.parse
import urllib.request
import ssl

ENDPOINT = os.environ["SIM_ENDPOINT"].rstrip("/")
CA = os.environ["SIM_CA"]
TENANT = os.environ["SIM_TENANT"]
CLIENT = os.environ["SIM_CLIENT"]
SECRET = os.environ["SIM_SECRET"]
# One of the subscriptions and one of the networks that every new simulator has (crates/azure-sim/src/seed.rs).
SUBSCRIPTION = "51179a1e-0000-4000-8000-0000000000d1"
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7x4kKVm0zjv3kN5m0y0Q0mYw1s5qT3q3nCq8dN0o1c7yVvQ5W5yVb0m5pJ8h5b0W5e6wq2T0v3fN6Yz0l5x8m2r1t9u4i7o3p6a8s2d5f1g4h7j9k3l6z8x2c5v1b4n7m9q3w6e8r2t5y1u4i7o9p3a6s8d2f5g1h4j7k9l3z6x8c2v5b1n4m7q9w3e6r8t2y5u1i4o7p9a3s6d8f2g5h1j4k7l9z3x6c8v2b5n1m4q7w9e3r6t8y2u5i1o4p7a9s3d6f8g2h5 conformance"

_failed = []
_count = 0


def step(title, act):
    """Runs one step of the story; what it returns is handed on. A failing step is told and the story goes on."""
    global _count
    # A pattern in SIM_ONLY leaves the other steps out, while one works on a few.
    if not re.search(os.environ.get("SIM_ONLY", ""), title):
        return None
    _count += 1
    begin = time.monotonic()
    try:
        value = act()
        print(f"ok    {title} ({time.monotonic() - begin:.1f} s)", flush=True)
        return value
    except Exception as error:  # noqa: BLE001: whatever it is, it is the finding
        _failed.append(title)
        print(f"FAIL  {title} ({time.monotonic() - begin:.1f} s): {error}", flush=True)
        if os.environ.get("SIM_TRACE"):
            traceback.print_exc()
        return None


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def ask(method, path, body=None):
    """The simulator's own control surface (crates/azure-sim/src/wire/control.rs), with a token of its authority."""
    form = {"client_id": CLIENT, "client_secret": SECRET, "grant_type": "client_credentials", "scope": ENDPOINT + "/.default"}
    token = call("POST", f"/{TENANT}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode(), {})["access_token"]
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    return call(method, path, None if body is None else json.dumps(body).encode(), headers)


def call(method, path, data, headers):
    context = ssl.create_default_context(cafile=CA)
    request = urllib.request.Request(ENDPOINT + path, method=method, data=data, headers=headers)
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def note(client):
    """Keeps which operations went through, for docs/azure-fidelity.md: names are left out, so that two runs write the same."""
    rows = set()
    for row in ask("GET", "/_sim/requests?limit=100000")["value"]:
        if 200 <= row["status"] < 400 and not row["path"].startswith("/_sim"):
            rows.add(f"{row['method']} {shape(row['path'])}")
    folder = os.environ.get("SIM_SEEN")
    if folder:
        with open(os.path.join(folder, f"{client}.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in sorted(rows))


def shape(path):
    """Names become the word `x`: every second part behind a provider, and the ids of subscriptions, groups and operations."""
    parts = path.strip("/").lower().split("/")
    if len(parts) > 1 and parts[1] in ("oauth2", "v2.0", "discovery", ".well-known"):
        return "/".join(["x", *parts[1:]])
    if "providers" not in parts:
        if parts[0] in ("metadata", "images", "api"):
            return "/".join(parts)
        return "/".join("x" if at % 2 else part for at, part in enumerate(parts))
    last = len(parts) - 1 - parts[::-1].index("providers")
    head = ["x" if at % 2 else part for at, part in enumerate(parts[:last])] if parts[0] == "subscriptions" else parts[:last]
    tail = parts[last + 1 :]
    if len(tail) < 2 or tail[1] == "register":
        if not tail:
            return "/".join([*head, "providers"])
        return "/".join([*head, "providers", "microsoft.x", *tail[1:]])
    return "/".join([*head, "providers", tail[0], *("x" if at % 2 else part for at, part in enumerate(tail[1:]))])


def end():
    print(f"{_count - len(_failed)} of {_count} steps passed")
    for title in _failed:
        print(f"  failed: {title}")
    sys.exit(1 if _failed else 0)
