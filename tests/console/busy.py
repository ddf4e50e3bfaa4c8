"""Work on the simulated places, so that a cloud that is photographed looks lived in: it keeps their
processors and GPUs about as busy as ``history`` says that they were."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.console.seeded import Seeded

BURN = json.dumps([["print", "step 1"], ["allocate", 2 << 30], ["burn", 1e9]])


def _job(site: str, count: int, **more: Any) -> dict[str, Any]:
    return {
        "command": ["python3", "simulate.py"], "count": count, "site": site, "millicores": 1000,
        "memory": 3 << 30, "env": {"SKERRY_SIM": BURN}, **more,
    }  # fmt: skip


WORK: dict[str, dict[str, Any]] = {
    "harbour/workspaces/lab/jobs/currents": _job("falkenberg", 24),
    "harbour/workspaces/lab/jobs/traffic": _job(
        "falkenberg", 1, gpus=4, gpuModel="H100", millicores=8000
    ),
    "seefahrt/workspaces/lab/jobs/routing": _job("keflavik", 30),
    "seefahrt/workspaces/lab/jobs/weather": _job(
        "keflavik", 1, gpus=2, gpuModel="L40S", millicores=8000
    ),
    "kystverket/workspaces/lab/jobs/ensemble": _job("marseille", 40),
}
TENANTS = {"seefahrt": "Seefahrt AG", "kystverket": "Kystverket"}


def work(made: "Seeded") -> None:
    """Start it, and wait until it runs."""
    for tenant, title in TENANTS.items():
        made.put(f"/providers/skerry.identity/v1/tenants/{tenant}", {"displayName": title})
        made.put(f"/providers/seca.workspace/v1/tenants/{tenant}/workspaces/lab")
    paths = [f"/providers/skerry.run/v1/tenants/{path}" for path in WORK]
    for path, spec in zip(paths, WORK.values(), strict=True):
        made.put(path, spec)
    for path in paths:
        made.reach(path, "running")
