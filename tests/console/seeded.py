"""A cloud with something to look at: two customers, places in four countries, work of every state.

It is what ``skerry up`` starts, with this machine as one of its sites. The other places are
simulated, so that their GPUs can be sold here. All of it is put over the public API.
"""

import json
from pathlib import Path
from typing import Any

import httpx2

from tests.console.machines import RACKS, Machine
from tests.console.selling import sell
from tests.e2e.conftest import Cloud, until
from tests.harness.ports import free_port

PASSWORD = "correct horse battery"
IDENTITY = "/providers/skerry.identity/v1/tenants"
RUN = "/providers/skerry.run/v1/tenants/acme/workspaces/lab"
H100 = {"model": "NVIDIA H100 80GB HBM3", "count": 8}
L40S = {"model": "NVIDIA L40S", "count": 4, "memory": 48 << 30}
PLACES: dict[str, dict[str, Any]] = {
    "falkenberg": {"jurisdiction": "DE", "operator": "falkenberg-gmbh", "gpus": [H100]},
    "keflavik": {"jurisdiction": "IS", "operator": "hverir", "gpus": [L40S], "millicores": 96_000},
    "marseille": {"jurisdiction": "FR", "operator": "phocee", "millicores": 128_000},
}
"""Sites beside this machine, which is in Sweden."""
SELLER = {
    "legalName": "Skerry Example AB", "street": "Hamngatan 1", "postalCode": "11147",
    "city": "Stockholm", "country": "SE", "vatNumber": "SE556036079301",
    "iban": "SE3550000000054910000003", "email": "billing@skerry.example",
}  # fmt: skip
SMALL = {"millicores": 100, "memory": 64 << 20, "site": "home-1"}
"""On this machine, for real."""
LINES = "for i in $(seq 40); do echo step $i of 40; done; echo done >&2"
WORK: dict[str, dict[str, Any]] = {
    "jobs/survey": {"command": ["sh", "-c", LINES], **SMALL},
    "jobs/broken": {"command": ["sh", "-c", "echo no such chart >&2; exit 3"], **SMALL},
    "jobs/tides": {"command": ["sh", "-c", "while :; do date; sleep 1; done"], **SMALL},
    "jobs/train": {
        "command": ["python3", "train.py"], "gpus": 2, "gpuModel": "H100", "millicores": 8000,
        "memory": 32 << 30, "env": {"SKERRY_SIM": '[["print","epoch 1"],["burn",1e9]]'},
    },
    "pods/buoy": {"command": ["sleep", "86400"], **SMALL},
    "services/map": {"command": ["python3", "-m", "http.server", "8000"], "port": 8000, **SMALL},
    "volumes/charts": {"size": 64 << 20, "site": "home-1"},
    "secrets/registry": {"data": {"user": "acme", "password": "hunter2"}},
}  # fmt: skip

RUNS = ("jobs/tides", "jobs/train", "pods/buoy", "services/map")


class Seeded:
    """The cloud, spoken to over HTTP as its operator or as somebody else."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.url = json.loads((cloud.data / "server.json").read_text())["url"]
        self.token = cloud.token_file.read_text().strip()
        self.http = httpx2.Client(base_url=self.url, timeout=60)

        self.machines: list[Machine] = []
        """That joined the site ``oslo``."""
        self.tokens = {"operator": self.token}
        """By the name of whose it is."""

    def close(self) -> None:
        """What runs would outlive its cloud."""
        for path in RUNS:
            self.ask("DELETE", f"{RUN}/{path}")
        bearer = {"authorization": f"Bearer {self.token}"}
        paths = [f"{RUN}/{path}" for path in RUNS]
        until(lambda: all(self.http.get(p, headers=bearer).status_code == 404 for p in paths))
        self.http.close()
        for machine in self.machines:
            machine.end()
        self.cloud.stop()

    def session(self, who: str) -> dict[str, Any]:
        """What the console keeps of somebody who is signed in."""
        token = self.tokens[who]
        me = self.ask("GET", "/providers/skerry.identity/v1/whoami", token=token)
        return {"token": token, "displayName": who, "expiresAt": "", **me}

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The answer of what must succeed."""
        headers = {"authorization": f"Bearer {token or self.token}"}
        answer = self.http.request(method, path, headers=headers, json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def put(self, path: str, spec: Any = None) -> Any:
        return self.ask("PUT", path, {"spec": spec or {}})

    def state(self, path: str) -> str:
        """Its phase, or else its state; empty while there is no such thing."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self.http.get(path, headers=headers)
        if answer.status_code == 404:
            return ""
        assert answer.is_success, f"{path}: {answer.text}"
        status = answer.json()["status"]
        return str(status.get("phase") or status["state"])

    def reach(self, path: str, *states: str) -> None:
        until(lambda: self.state(path) in states, lambda: f"{path} {self.cloud.tail()}")

    def person(self, tenant: str, name: str, *roles: str) -> str:
        """Somebody with a password; a token of theirs."""
        self.put(f"{IDENTITY}/{tenant}/users/{name}", {"email": f"{name}@{tenant}.example"})
        path = f"{IDENTITY}/{tenant}/users/{name}/set-password"
        self.ask("POST", path, {"password": PASSWORD})
        self.put(
            f"/providers/seca.authorization/v1/tenants/{tenant}/role-assignments/{name}",
            {"roles": list(roles), "subs": [name], "scopes": [{}]},
        )
        made = self.put(f"{IDENTITY}/{tenant}/tokens/{name}.tests", {"subject": name})
        self.tokens[name] = str(made["status"]["secret"])
        return self.tokens[name]


def machines(made: Seeded) -> None:
    """A site of machines that joined by invitation."""
    site = "/providers/skerry.site/v1/sites/oslo"
    made.put(
        site,
        {
            "driver": "local", "region": "home", "zone": "home-1", "trustTier": 3,
            "jurisdiction": "NO", "operator": "skerry",
        },
    )  # fmt: skip
    for name in RACKS:
        told = made.ask("POST", f"{site}/invite", {})
        made.machines.append(Machine(name, told, made.cloud.home / name))
    for name in RACKS:
        made.reach(f"{site}/hosts/{name}", "connected")


def seeded(home: Path) -> Seeded:
    """Start it, and wait until what it has is as it is going to stay."""
    # Where it listened, it listens when it is started again: pages stay open meanwhile, and
    # machines call again.
    here, door = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    cloud = Cloud(home, "--agents", door, "--gateway", "127.0.0.1:0", "--listen", here)
    cloud.start()
    made = Seeded(cloud)
    for name, place in PLACES.items():
        jurisdiction, operator = place["jurisdiction"], place["operator"]
        config = {k: v for k, v in place.items() if k not in ("jurisdiction", "operator")}
        made.put(
            f"/providers/skerry.site/v1/sites/{name}",
            {
                "driver": "simulated", "region": "home", "zone": "home-1", "trustTier": 2,
                "jurisdiction": jurisdiction, "operator": operator,
                "config": {"name": name, "runSeconds": 86400, **config},
            },
        )  # fmt: skip
    for tenant, title in (("acme", "Acme Cartography"), ("harbour", "Harbour Pilots")):
        made.put(f"{IDENTITY}/{tenant}", {"displayName": title})
        for name in ("lab", "paris"):
            made.put(f"/providers/seca.workspace/v1/tenants/{tenant}/workspaces/{name}")
    made.put("/providers/skerry.billing/v1/sellers/main", SELLER)
    policies = "/providers/skerry.market/v1/tenants/acme/policies"
    made.put(f"{policies}/eu-only", {"jurisdictions": ["EU", "IS"], "isolation": "sandbox"})
    made.put(f"{policies}/in-france", {"jurisdictions": ["FR"], "workspaces": ["paris"]})
    made.put("/providers/skerry.billing/v1/tenants/acme/budgets/all", {"amount": "100.00"})
    sell(made)
    made.person("acme", "ann", "seca.admin")
    made.person("acme", "bob", "seca.workspace-viewer")
    machines(made)
    until(lambda: len(made.ask("GET", "/providers/skerry.market/v1/offers")["items"]) > 5)
    for path, spec in WORK.items():
        made.put(f"{RUN}/{path}", spec)
    for path in RUNS:
        made.reach(f"{RUN}/{path}", "running")
    made.reach(f"{RUN}/jobs/survey", "succeeded")
    made.reach(f"{RUN}/jobs/broken", "failed")
    return made
