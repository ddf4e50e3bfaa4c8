"""A host that fails once, at any call of any step: it was not reached, or its answer was lost.

The life of every kind with a flow must look as if nothing had been, and nothing may be left over.
"""

from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.kinds import Kind
from skerry.ledger import price_lists
from skerry.sites.simulated import faults
from skerry.sites.simulated.faults import Fault, Faults
from skerry.store import Database
from tests.coverage.conftest import REGISTRY
from tests.coverage.test_flows import FLOWS, Lives, _above, _remove_above
from tests.harness.crash import Reaper, life_of, live
from tests.harness.prices import priced
from tests.products.run.cloud import opened

HOWS: tuple[faults.Kind, ...] = ("unreachable", "answer-lost")
LOOKS = ("capacity", "list", "watch", "usage", "stats")
"""What the observer calls again and again, whatever flows do."""


class Once(Faults):
    """Notes the calls, and fails the n-th if told one."""

    def __init__(self, how: faults.Kind, at: int | None = None) -> None:
        super().__init__()
        self.calls: list[str] = []
        self._how = how
        self._at = at

    def __bool__(self) -> bool:
        return True

    def hit(self, kinds: Iterable[faults.Kind], verb: str, id: str, now: float) -> Fault | None:
        if self._how not in kinds or verb in LOOKS:
            return None
        self.calls.append(verb)
        return Fault(kind=self._how) if self._at == len(self.calls) - 1 else None


def placed_once(stages: list[Any]) -> list[Any]:
    """Without leases that have ended: what could not begin at a host is placed anew."""
    return [
        (stage, [row for row in rows if row[0] != "lease" or row[3] != "closed"])
        if isinstance(rows, list)
        else (stage, rows)
        for stage, rows in stages
    ]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", FLOWS, ids=lambda kind: kind.noun)
@pytest.mark.long
async def test_a_host_that_fails_at_any_call(
    kind: Kind, how: faults.Kind, db: Database, tmp_path: FilePath
) -> None:
    cloud = await opened(db, tmp_path)
    async with db.transaction() as tx:
        await price_lists.load(tx, priced(REGISTRY))
    world = await cloud.site()
    above = await _above(cloud, kind)
    rig, life = Lives(cloud), life_of(kind, above)
    world.faults = watched = Once(how)
    expected = placed_once(await live(rig, life, Reaper(), "undisturbed"))
    for at in {verb: at for at, verb in reversed([*enumerate(watched.calls)])}.values():
        world.faults = Once(how, at)
        seen = placed_once(await live(rig, life, Reaper(), f"failed-{at}"))
        assert seen == expected, f"{how} at {watched.calls[at]}: {seen} instead of {expected}"
    world.faults = Faults()
    await _remove_above(cloud, kind, above)
    await cloud.assert_books_closed()
    await cloud.hub.close_all()
