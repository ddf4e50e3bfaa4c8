"""Words for the twin's own tests: worlds on a clock that the test moves."""

from typing import Any

import msgspec

from skerry.sites.contract import Resources, Workload
from skerry.sites.simulated.clock import HandClock
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.world import World
from tests.sites.contract.script import Script


def site(clock: HandClock | None = None, **config: Any) -> tuple[Simulated, HandClock]:
    """A driver on a new world, and the world's clock."""
    clock = clock or HandClock()
    return Simulated(World(msgspec.convert(config, Config), clock)), clock


def work(id: str, script: Script | None = None, **changes: Any) -> Workload:
    env = {"SKERRY_SIM": script.json} if script is not None else {}
    env |= changes.pop("env", {})
    resources = changes.pop("resources", Resources(millicores=1000, memory=1 << 30))
    fields = {"tenant": "acme", "command": ("train", "--fast")}
    return Workload(id=id, env=env, resources=resources, **fields | changes)
