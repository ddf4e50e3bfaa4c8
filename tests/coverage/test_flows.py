"""Killed at every step, and at every moment of it, every kind with a flow lives the same life.

Each is placed, run, billed and removed in a whole cloud with a simulated site, as often as there
are moments at which a worker could be killed. What was metered must be what its host says that it
ran: nothing is lost, nothing is left, and nothing is billed twice.
"""

from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource
from skerry.ledger import price_lists
from skerry.store import Database
from tests.coverage.conftest import REGISTRY
from tests.harness.crash import Rig, flows, killed_everywhere, life_of, one_for_each_step
from tests.harness.prices import priced
from tests.harness.samples import sample
from tests.products.run.cloud import AT, Cloud, opened

FLOWS = flows(REGISTRY)


class Lives(Rig):
    """The rig of a whole cloud: time passes, the site reports, ledger and market see it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        super().__init__(
            cloud.db, cloud.resources, self.open, self.pass_time, self.what_is_left, AT
        )

    def open(self) -> Services:
        return self.cloud.services

    async def pass_time(self) -> None:
        cloud = self.cloud
        await cloud.shift(1)
        await cloud.observer.tick()
        for name in cloud.sites:
            await cloud.observer.look(name)
        await cloud.business.carry()

    async def what_is_left(self, root: Resource) -> Any:
        """What was metered of it and still is held, with all that it owned."""
        db = self.cloud.db
        used = await db.fetch(
            "select s.meter, s.sku, sum(u.quantity)::bigint as quantity"
            " from usage u join stream s on s.id = u.stream"
            " join hold h on h.lease = s.lease where h.root_uid = $1 group by 1, 2 order by 1, 2",
            root.uid,
        )
        ran = await db.fetchval(
            "select coalesce(sum(extract(epoch from w.ended_at - w.started_at)"
            " * coalesce((r.spec ->> 'millicores')::int, 1000)), 0) from workload w"
            " join resource r on r.uid = w.owner where r.root_uid = $1",
            root.uid,
        )
        for row in used:
            if row["meter"] == "cpu-hour":
                # As long as its processes ran by their host's word: all of it, and once.
                assert float(row["quantity"]) == pytest.approx(float(ran), rel=0.01, abs=100)
        open_holds = await db.fetchval("select count(*) from hold where state <> 'closed'")
        open_leases = await db.fetchval("select count(*) from lease where state <> 'closed'")
        at_sites = [task for name in self.cloud.sites for task in self.cloud.at_site(name)]
        return [(row["meter"], row["sku"]) for row in used], open_holds, open_leases, at_sites


@pytest.mark.parametrize("hasty", [False, True], ids=["patient", "hasty"])
@pytest.mark.parametrize("kind", FLOWS, ids=lambda kind: kind.noun)
async def test_killed_at_every_step(
    kind: Kind, hasty: bool, db: Database, tmp_path: FilePath
) -> None:
    await _killed(kind, hasty, db, tmp_path, one_for_each_step)


@pytest.mark.long
@pytest.mark.parametrize("hasty", [False, True], ids=["patient", "hasty"])
@pytest.mark.parametrize("kind", FLOWS, ids=lambda kind: kind.noun)
async def test_killed_at_every_moment(
    kind: Kind, hasty: bool, db: Database, tmp_path: FilePath
) -> None:
    await _killed(kind, hasty, db, tmp_path, None)


async def _killed(kind: Kind, hasty: bool, db: Database, folder: FilePath, few: Any) -> None:
    cloud = await opened(db, folder)
    async with db.transaction() as tx:
        await price_lists.load(tx, priced(REGISTRY))
    await cloud.site()
    above = await _above(cloud, kind)
    await killed_everywhere(Lives(cloud), life_of(kind, above, hasty=hasty), few=few)
    await _remove_above(cloud, kind, above)
    await cloud.assert_books_closed()
    await cloud.hub.close_all()


async def _above(cloud: Cloud, kind: Kind) -> tuple[str, ...]:
    """Put what it lives in; the names."""
    if not kind.parents:
        return ()
    parent = REGISTRY.above(kind)
    names = await _above(cloud, parent)
    path = Path(AT.tenant, AT.workspace, names, "one")
    async with cloud.db.transaction() as tx:
        # The cloud has a site of that name already.
        if await cloud.resources.find(tx, cloud.resources.ref(parent, path)) is None:
            await cloud.resources.put(tx, parent, path, {"spec": sample(parent)}, SYSTEM)
    await cloud.turn()
    return (*names, "one")


async def _remove_above(cloud: Cloud, kind: Kind, names: tuple[str, ...]) -> None:
    """What it lived in goes as well, the innermost first."""
    for depth in range(len(names), 0, -1):
        kind = REGISTRY.above(kind)
        path = Path(AT.tenant, AT.workspace, names[: depth - 1], names[depth - 1])
        if kind.noun == "site":
            continue  # the cloud's own, where the rest of what there was ran
        async with cloud.db.transaction() as tx:
            parent = await cloud.resources.get(tx, cloud.resources.ref(kind, path))
            await cloud.resources.delete(tx, parent, SYSTEM)
        await cloud.turn()
