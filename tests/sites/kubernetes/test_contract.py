"""A real cluster passes the suite that every driver passes.

Every time: what starts, ends, is reached and comes back; the rest of it takes minutes more and runs
with the long tests.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixtures import RealNode
from tests.sites.contract.suite import (
    Exiting,
    Fencing,
    Healing,
    Reaching,
    Reading,
    Refusing,
    Restarting,
    Running,
    Storing,
    Watching,
)
from tests.sites.kubernetes.rigs import KubernetesRig, alone


class _Cluster:
    @pytest.fixture
    async def rig(
        self,
        cluster: Cluster,
        node: RealNode,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[KubernetesRig]:
        monkeypatch.setenv("SKERRY_KEPT", str(tmp_path))
        async with alone():
            rig = KubernetesRig(cluster, node)
            yield rig
            await rig.end()


class TestCluster(_Cluster, Running):
    pass


@pytest.mark.long
class TestClusterBeside(
    _Cluster,
    Exiting,
    Fencing,
    Healing,
    Reading,
    Storing,
    Watching,
    Restarting,
    Reaching,
    Refusing,
):
    pass
