"""The twin passes the suite that real drivers pass: in memory, and kept in a directory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from skerry.sites.contract import Isolation, Workloads
from skerry.sites.simulated import MANIFEST
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.world import World
from tests.sites.contract.suite import (
    Addressing,
    Fencing,
    Imaging,
    Keeping,
    Placing,
    Restarting,
    Script,
    Storing,
    Using,
    Watching,
    WorkloadsContract,
)


class SimulatedRig:
    """Small, with two GPUs; ``kill`` forgets the driver, as a killed process would."""

    manifest = MANIFEST
    isolation: Isolation = "sandbox"
    snapshots = True
    gangs = True
    events_kept = 16

    def __init__(self, directory: Path | None, **config: Any) -> None:
        self._config: dict[str, Any] = {
            "millicores": 8000,
            "memory": 8 << 30,
            "gpus": [{"model": "H100", "count": 2}],
            "isolations": ["process", "sandbox"],
            "startSeconds": 0.01,
            "programs": ["sh", "python3"],
            "keepEvents": self.events_kept,
        } | config
        self._directory = directory
        self._worlds: dict[str, World] = {}
        self._open: list[Simulated] = []

    def _driver(self, site: str) -> Simulated:
        if self._directory is not None:
            config = self._config | {"directory": str(self._directory / site)}
            driver = Simulated.open(config)
        else:
            if site not in self._worlds:
                self._worlds[site] = Simulated.open(self._config).world
            driver = Simulated(self._worlds[site])
        self._open.append(driver)
        return driver

    async def open(self) -> Workloads:
        return self._driver("site")

    async def kill(self) -> None:
        while self._open:
            await self._open.pop().close()

    async def neighbour(self) -> Workloads:
        return self._driver("neighbour")

    def render(self, script: Script) -> tuple[tuple[str, ...], dict[str, str]]:
        return ("sh",), {"SKERRY_SIM": script.json}


class TestInMemory(WorkloadsContract, Addressing, Imaging, Keeping, Using):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[SimulatedRig]:
        rig = SimulatedRig(None)
        yield rig
        await rig.kill()


class TestInDirectory(Imaging, Fencing, Keeping, Storing, Watching, Restarting):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[SimulatedRig]:
        rig = SimulatedRig(tmp_path)
        yield rig
        await rig.kill()


class TestOfNodes(Placing, Watching):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[SimulatedRig]:
        sizes = {"millicores": 8000, "memory": 8 << 30, "gpus": [{"model": "H100", "count": 2}]}
        nodes = [{"name": "n", "count": 2} | sizes, {"name": "shut", "closed": "cordoned"}]
        rig = SimulatedRig(None, nodes=nodes)
        yield rig
        await rig.kill()


class TestOfNodesInDirectory(Restarting):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[SimulatedRig]:
        rig = SimulatedRig(tmp_path, nodes=[{"name": "n", "count": 2, "millicores": 8000}])
        yield rig
        await rig.kill()
