"""This machine passes the suite with each engine, and through an agent's connection."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sites.contract.suite import WorkloadsContract
from tests.sites.local.rigs import AgentRig, LocalRig


class TestRunc(WorkloadsContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, engines=("runc",))
        yield rig
        await rig.end()


class TestBubblewrap(WorkloadsContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, engines=("bubblewrap",))
        yield rig
        await rig.end()


class TestProcess(WorkloadsContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, isolation="process")
        yield rig
        await rig.end()


class TestAgent(WorkloadsContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[AgentRig]:
        rig = AgentRig(tmp_path)
        yield rig
        await rig.end()
