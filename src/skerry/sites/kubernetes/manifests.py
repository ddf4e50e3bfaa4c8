"""The objects that a workload becomes.

A task is a Pod of its own, not a Job's: a Job starts what has failed again by itself, in another
pod and with another name, gives no rank its node, and forgets exit codes with its pods; here ranks
are pinned one by one, a retry is the market's decision, and a fence must hold for each start.

In the pod are two containers. ``task`` is the tenant's image under the keeper; ``keeper`` is the
same image, too, running nothing but the keeper, so that logs and files stay readable when the task
has ended; its requests are nil. Both are the cluster's ``restricted``: no root, no capabilities,
the runtime's own seccomp profile.
"""

import base64
from collections.abc import Mapping
from typing import Any

from skerry.sites.contract import Workload
from skerry.sites.kubernetes import names
from skerry.sites.kubernetes.config import Config
from skerry.sites.kubernetes.nodes import TOLERATED
from skerry.sites.kubernetes.room import Chosen
from skerry.sites.kubernetes.spec import WORK

KEEPER = "/.skerry/bin/keeper"
RUN = "/.skerry/run"
DEPOT = "skerry-depot"
_PROGRAM_MOUNT = {"name": "bin", "mountPath": "/.skerry/bin", "readOnly": True}
_SMALL = {
    "requests": {"cpu": "0", "memory": "0"},
    "limits": {"cpu": "500m", "memory": str(64 << 20)},
}
_BINARY = 0o555
_SECRET = 0o440
_TOLERATED = [
    *(
        {"key": f"node.kubernetes.io/{sort}", "operator": "Exists", "effect": "NoExecute"}
        for sort in ("not-ready", "unreachable")
    ),
    *({"key": key, "operator": "Exists"} for key in TOLERATED),
]
"""Losing sight of a node ends nothing: what runs there is not started elsewhere by itself."""


def exact(text: str) -> str:
    """As a variable's value or an argument that Kubernetes puts nothing in place of."""
    return text.replace("$", "$$")


def namespace(config: Config, name: str, tenant: str, workspace: str) -> dict[str, Any]:
    pod_security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")
    }
    about = {names.TENANT: names.label_value(tenant), names.WORKSPACE: names.label_value(workspace)}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": names.labels(config.namespace, **about, **pod_security),
        },
    }


def policies(config: Config, name: str) -> list[dict[str, Any]]:
    """Nobody reaches anybody; what has a network may go outside."""
    labels = names.labels(config.namespace)
    away = [{"ipBlock": {"cidr": cidr}} for cidr in config.allow]
    dns = {"ports": [{"protocol": p, "port": 53} for p in ("UDP", "TCP")]}
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "skerry-deny", "namespace": name, "labels": labels},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "skerry-network", "namespace": name, "labels": labels},
            "spec": {
                "podSelector": {"matchLabels": {names.NETWORK: "outside"}},
                "policyTypes": ["Egress"],
                "egress": [{"to": away}, dns],
            },
        },
    ]


def quota(config: Config, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {
            "name": "skerry",
            "namespace": name,
            "labels": names.labels(config.namespace),
        },
        "spec": {"hard": dict(config.quota)},
    }


def keeper_map(config: Config, name: str, program: bytes, machine: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": names.program(machine),
            "namespace": name,
            "labels": names.labels(config.namespace),
        },
        "binaryData": {"keeper": base64.b64encode(program).decode()},
    }


def secret(
    config: Config, where: str, workload: Workload, spec: bytes, about: Mapping[str, str]
) -> dict[str, Any]:
    """What the keeper is told, and the secret files."""
    data = {"spec": spec}
    for number, text in enumerate(workload.secret_files.values()):
        data[f"file-{number}"] = text.encode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": names.secret(workload.id),
            "namespace": where,
            "labels": names.labels(config.namespace, **about),
        },
        "immutable": True,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def gang_objects(config: Config, where: str, id: str, about: Mapping[str, str]) -> list[Any]:
    """Names for the tasks of a gang, and a way between them and nobody else."""
    named = {"name": names.stem(id), "namespace": where}
    labels = names.labels(config.namespace, **about)
    mine = {"matchLabels": {names.WORKLOAD: about[names.WORKLOAD]}}
    dns = {"ports": [{"protocol": p, "port": 53} for p in ("UDP", "TCP")]}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**named, "labels": labels},
            "spec": {
                "clusterIP": "None",
                "selector": mine["matchLabels"],
                "publishNotReadyAddresses": True,
            },
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {**named, "labels": labels},
            "spec": {
                "podSelector": mine,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": mine}]}],
                "egress": [{"to": [{"podSelector": mine}]}, dns],
            },
        },
    ]


def depot(config: Config, image: str, machine: str) -> list[dict[str, Any]]:
    """The depot's volume, where there is to be one, and its pod."""
    labels = names.labels(config.namespace)
    named = {"name": DEPOT, "namespace": config.namespace, "labels": labels}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": named,
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": config.storage_class,
            "resources": {"requests": {"storage": str(config.depot)}},
        },
    }
    kept = (
        {"persistentVolumeClaim": {"claimName": DEPOT}}
        if config.storage_class
        else {"emptyDir": {"sizeLimit": str(config.depot)}}
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": named,
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": _user(config),
            "tolerations": _TOLERATED,
            "affinity": {"nodeAffinity": _where(config, machine)},
            "volumes": [_program_volume(machine), {"name": "depot", **kept}],
            "containers": [
                {
                    **_unprivileged(config, image, read_only=True),
                    "name": names.KEEPER,
                    "command": [KEEPER, "hold"],
                    "resources": _SMALL,
                    "volumeMounts": [_PROGRAM_MOUNT, {"name": "depot", "mountPath": "/depot"}],
                }
            ],
        },
    }
    if config.pull_secret:
        pod["spec"]["imagePullSecrets"] = [{"name": config.pull_secret}]  # type: ignore[index]
    return [*([claim] if config.storage_class else []), pod]


def _user(config: Config) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": config.user,
        "runAsGroup": config.user,
        "fsGroup": config.user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _unprivileged(config: Config, image: str, *, read_only: bool) -> dict[str, Any]:
    return {
        "image": image,
        "imagePullPolicy": config.pull_policy,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": read_only,
        },
    }


def _where(config: Config, machine: str, node: str = "") -> dict[str, Any]:
    """At the node that the market has chosen, or at any of the site's."""
    labels = {**config.nodes, "kubernetes.io/arch": names.go(machine)}
    term: dict[str, Any] = {
        "matchExpressions": [
            {"key": key, "operator": "In", "values": [value]}
            for key, value in sorted(labels.items())
        ]
    }
    if node:
        term["matchFields"] = [{"key": "metadata.name", "operator": "In", "values": [node]}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}


def _program_volume(machine: str) -> dict[str, Any]:
    named = {"name": names.program(machine), "defaultMode": _BINARY}
    return {"name": "bin", "configMap": named}


class Setting:
    """What is the same for each task of a workload."""

    def __init__(
        self,
        config: Config,
        workload: Workload,
        where: str,
        image: str,
        about: Mapping[str, str],
        chosen: Chosen,
    ) -> None:
        self.config, self.workload, self.where, self.image = config, workload, where, image
        self.about, self.chosen = about, chosen

    def pod(self, rank: int) -> dict[str, Any]:
        work, id = self.workload, self.workload.id
        network = {names.NETWORK: "outside"} if work.network else {}
        labels = names.labels(
            self.config.namespace, **self.about, **network, **{names.RANK: str(rank)}
        )
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": names.pod(id, rank),
                "namespace": self.where,
                "labels": labels,
                "annotations": {names.ID: id},
            },
            "spec": self._spec(rank),
        }

    def _spec(self, rank: int) -> dict[str, Any]:
        work, config = self.workload, self.config
        spec: dict[str, Any] = {
            "restartPolicy": "Never" if work.restart == "never" else "OnFailure",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": work.grace + 5,
            "securityContext": _user(config),
            "tolerations": _TOLERATED,
            "volumes": self._volumes(),
            "containers": [self._task(rank), self._keeper()],
        }
        runtime = config.runtime_classes.get(work.isolation)
        if runtime:
            spec["runtimeClassName"] = runtime
        if config.pull_secret:
            spec["imagePullSecrets"] = [{"name": config.pull_secret}]
        if work.tasks > 1:
            spec["hostname"] = names.pod(work.id, rank)
            spec["subdomain"] = names.stem(work.id)
        here = work.nodes[rank] if work.nodes else ""
        where = _where(config, self.chosen.architecture, here)
        spec["affinity"] = {"nodeAffinity": where}
        return spec

    def _volumes(self) -> list[dict[str, Any]]:
        disk = self.workload.resources.disk or self.config.disk
        kept = 2 * self.workload.log_bytes + (8 << 20)
        return [
            {"name": "work", "emptyDir": {"sizeLimit": str(disk)}},
            {"name": "tmp", "emptyDir": {"sizeLimit": str(disk)}},
            {"name": "run", "emptyDir": {"sizeLimit": str(kept)}},
            _program_volume(self.chosen.architecture),
            {
                "name": "spec",
                "secret": {"secretName": names.secret(self.workload.id), "defaultMode": _SECRET},
            },
        ]

    def _mounts(self) -> list[dict[str, Any]]:
        return [
            _PROGRAM_MOUNT,
            {"name": "run", "mountPath": RUN},
            {"name": "work", "mountPath": WORK},
        ]

    def _task(self, rank: int) -> dict[str, Any]:
        work = self.workload
        mounts = [
            *self._mounts(),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - in the sandbox
            {
                "name": "spec",
                "mountPath": "/.skerry/spec/spec",
                "subPath": "spec",
                "readOnly": True,
            },
        ]
        mounts += [
            {"name": "spec", "mountPath": path, "subPath": f"file-{number}", "readOnly": True}
            for number, path in enumerate(work.secret_files)
        ]
        ask = {"cpu": f"{work.resources.millicores}m", "memory": str(work.resources.memory)}
        if self.chosen.resource:
            ask[self.chosen.resource] = str(work.resources.gpus)
        task = {
            **_unprivileged(self.config, self.image, read_only=not work.image),
            "name": names.TASK,
            "command": [KEEPER, "run"],
            "env": [{"name": k, "value": exact(v)} for k, v in self._variables(rank).items()],
            "resources": {"limits": ask, "requests": ask},
            "volumeMounts": mounts,
        }
        if work.health is not None or work.restart != "never":
            task["readinessProbe"] = {
                "exec": {"command": [KEEPER, "ready"]},
                "periodSeconds": 1,
                "timeoutSeconds": 10,
                "failureThreshold": 1,
            }
        return task

    def _variables(self, rank: int) -> dict[str, str]:
        work = self.workload
        common = {"HOME": WORK, "LANG": "C.UTF-8"} if not work.image else {}
        ours = {"SKERRY_RANK": str(rank), "SKERRY_TASKS": str(work.tasks)}
        return {**common, **ours}

    def _keeper(self) -> dict[str, Any]:
        return {
            **_unprivileged(self.config, self.image, read_only=True),
            "name": names.KEEPER,
            "command": [KEEPER, "hold"],
            "resources": _SMALL,
            "volumeMounts": self._mounts(),
        }
