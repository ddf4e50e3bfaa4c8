"""Sites on this machine, one for each engine of sandboxes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import Workloads
from tests.sites.local.rigs import AgentEnd, LocalRig, clean


@pytest.fixture(params=["runc", "bubblewrap"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalRig]:
    """A site whose sandboxes are all of one engine."""
    rig = LocalRig(tmp_path, engines=(request.param,))
    yield rig
    await rig.end()


@pytest.fixture
async def site(rig: LocalRig) -> Workloads:
    return await rig.open()


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[LocalRig]:
    """A site for bare processes."""
    rig = LocalRig(tmp_path / "bare", isolation="process")
    yield rig
    await rig.end()


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[AgentEnd]:
    """A server's end of an agent that is yet to be started."""
    (tmp_path / "agent").mkdir()
    end = AgentEnd(tmp_path / "agent")
    yield end
    if end.process is not None:
        await end.kill()
    await clean(end.data)
