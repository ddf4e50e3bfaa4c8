"""This machine passes the suite with each engine, and through an agent's connection.

Every time: all of it with runc, and of the others what depends on the engine or the connection.
The rest of it takes minutes more and runs with the long tests.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sites.contract.suite import (
    Addressing,
    Exiting,
    Fencing,
    Healing,
    Imaging,
    Keeping,
    Preparing,
    Reaching,
    Reading,
    Refusing,
    Restarting,
    Running,
    Storing,
    Using,
    Watching,
    WorkloadsContract,
)
from tests.sites.local.rigs import AgentRig, LocalRig


class TestRunc(WorkloadsContract, Addressing, Imaging, Keeping, Using):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, engines=("runc",))
        yield rig
        await rig.end()


class _Bubblewrap:
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, engines=("bubblewrap",))
        yield rig
        await rig.end()


class TestBubblewrap(_Bubblewrap, Running, Exiting, Reaching):
    pass


@pytest.mark.long
class TestBubblewrapBeside(
    _Bubblewrap,
    Imaging,
    Keeping,
    Fencing,
    Healing,
    Using,
    Reading,
    Storing,
    Watching,
    Restarting,
    Refusing,
):
    pass


class _Process:
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, isolation="process")
        yield rig
        await rig.end()


class TestProcess(_Process, Running, Exiting, Reaching):
    pass


@pytest.mark.long
class TestProcessBeside(
    _Process, Fencing, Healing, Using, Reading, Storing, Watching, Restarting, Refusing
):
    pass


class _Agent:
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[AgentRig]:
        rig = AgentRig(tmp_path)
        yield rig
        await rig.end()


class TestAgent(_Agent, Running, Reaching, Addressing):
    pass


class TestAgentPreparing(_Agent, Preparing):
    pass


@pytest.mark.long
class TestAgentImaging(_Agent, Imaging):
    pass


@pytest.mark.long
class TestAgentBeside(
    _Agent,
    Keeping,
    Exiting,
    Fencing,
    Healing,
    Using,
    Reading,
    Refusing,
    Storing,
    Watching,
    Restarting,
):
    pass
