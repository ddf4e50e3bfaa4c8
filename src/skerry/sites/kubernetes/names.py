"""Names and labels of what we make, by which we know it again."""

import hashlib
import re
from collections.abc import Mapping

OWNER = "skerry.dev/site"
"""Label of every object: the home namespace of the site that made it."""
WORKLOAD = "skerry.dev/workload"
"""Label: the stem of a workload's objects."""
ID = "skerry.dev/id"
"""Annotation of a pod: its workload's id."""
RANK = "skerry.dev/rank"
NETWORK = "skerry.dev/network"
TENANT = "skerry.dev/tenant"
WORKSPACE = "skerry.dev/workspace"
MANAGED = "app.kubernetes.io/managed-by"
TASK, KEEPER = "task", "keeper"
"""A pod's two containers."""


def labels(home: str, **more: str) -> dict[str, str]:
    return {MANAGED: "skerry", OWNER: home, **more}


def workspace_namespace(home: str, tenant: str, workspace: str) -> str:
    """Readable, and different for each workspace."""
    digest = hashlib.sha256(f"{tenant}/{workspace}".encode()).hexdigest()[:8]
    words = re.sub(r"[^a-z0-9]+", "-", f"{tenant}-{workspace}".lower()).strip("-")
    room = 63 - len(home) - len(digest) - 2
    return f"{home}-{words[:room].strip('-')}-{digest}".replace("--", "-")


def label_value(text: str) -> str:
    """Any text as a label's value, as far as it can be one."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:63].strip("-_.")


def record(id: str) -> str:
    """The ConfigMap that says what is known of a workload."""
    return f"workload-{id}"


def pod(id: str, rank: int) -> str:
    return f"{stem(id)}-{rank}"


def stem(id: str) -> str:
    """A DNS label that is the workload's alone: an id may begin with a digit or a hyphen, and be
    too long for a rank after it."""
    if len(id) <= 52 and re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", id):
        return id
    return f"w{hashlib.sha256(id.encode()).hexdigest()[:24]}"


def secret(id: str) -> str:
    return f"{stem(id)}-spec"


def ours(found: Mapping[str, str], home: str) -> bool:
    return found.get(OWNER) == home


_GO = {"x86_64": "amd64", "aarch64": "arm64"}


def go(machine: str) -> str:
    """An architecture as Kubernetes calls it."""
    return _GO.get(machine, machine)


def program(machine: str) -> str:
    """The ConfigMap of the keeper, in each namespace."""
    return f"skerry-keeper-{go(machine)}"
