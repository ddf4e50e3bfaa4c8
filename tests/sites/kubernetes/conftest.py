"""The run's cluster and its real node, and a site on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixtures import RealNode, cluster, door, fleet, frail, namespace, node, spare
from tests.sites.kubernetes.rigs import KubernetesRig, alone

__all__ = ["cluster", "door", "fleet", "frail", "namespace", "node", "spare"]


@pytest.fixture
async def rig(
    cluster: Cluster, node: RealNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KubernetesRig]:
    monkeypatch.setenv("SKERRY_KEPT", str(tmp_path))
    async with alone():
        rig = KubernetesRig(cluster, node)
        yield rig
        await rig.end()
