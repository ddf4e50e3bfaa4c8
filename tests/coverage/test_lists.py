"""A page of a list costs as many statements as one item of it: of every kind that is listed."""

import uuid
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from msgspec.structs import replace

from skerry.kernel.errors import Problem
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.ledger import price_lists
from skerry.sites.kinds import ensure_region
from skerry.store import Database
from tests.coverage.conftest import KINDS, REGISTRY, place
from tests.harness.counted import Counted
from tests.harness.prices import priced
from tests.harness.samples import NAMES, name_of, sample

MANY = 6
# Quotas last: their samples leave no room for others.
LISTED = sorted((k for k in KINDS if "list" in k.ops), key=lambda kind: kind.noun == "quota")
QUOTAS = sorted(kind.noun for kind in KINDS if kind.quota is not None)
NAMED: dict[str, Callable[[int], str]] = {
    "lease": lambda i: str(uuid.uuid4()),
    "invoice": lambda i: f"2026-0{i + 1}",
    "quota": lambda i: QUOTAS[i],
}
"""Names of those that can't have any."""
THERE = {
    "tenant": Path(name="acme"),
    "workspace": Path("acme", name="prod"),
    "user": Path("acme", name="somebody"),
}
LOOKS = {"phase": "running", "lease": "x", "hosts": ["one.example"]}
"""What makes most kinds tell more of themselves."""


@pytest.fixture
async def resources(db: Database, tmp_path: FilePath) -> Resources:
    made = Resources(REGISTRY, Sealer(tmp_path / "keys"), "home")
    async with db.transaction() as tx:
        await price_lists.load(tx, priced(REGISTRY))
        for noun, at in THERE.items():
            await made.put(tx, REGISTRY[noun], at, {}, SYSTEM)
        await ensure_region(tx, made, "home", ["home-1"], "https://cloud.example")
    return made


async def _listed(tx: Any, resources: Resources, kind: Kind) -> list[Resource]:
    """Several of a kind, as they would be there."""
    above = kind.parents and next(k for k in KINDS if k.collection == kind.parents[-1])
    if above:
        at = place(above).named("one")
        await resources.put(tx, above, at, {"spec": sample(above)}, SYSTEM)
    found: list[Resource] = []
    for i in range(1 if kind.noun in NAMES and kind.noun != "quota" else MANY):
        name = NAMED[kind.noun](i) if kind.noun in NAMED else name_of(kind, f"{kind.noun}-{i}")
        body = {"spec": sample(kind)}
        try:
            async with tx.savepoint():
                at = place(kind).named(name)
                one = (await resources.put(tx, kind, at, body, SYSTEM)).resource
        except Problem:  # of some there is one alone, whatever their names
            one = replace(found[0], uid=uuid.uuid4(), name=name, ref=f"{found[0].ref}-{i}")
            assert await resources.add(tx, one, "put", SYSTEM)
        found.append(await resources.set_status(tx, one.uid, status=LOOKS))
    return found


async def _statements(tx: Any, resources: Resources, page: list[Resource]) -> int:
    """What it takes to tell of a page, beyond its rows."""
    hooks = REGISTRY[page[0].kind].hooks
    if hooks is None:
        return 0
    counted = Counted(tx)
    await hooks.shown_of(counted, resources, page)
    return counted.asked


async def test_many_cost_no_more_statements_than_one(db: Database, resources: Resources) -> None:
    grow: dict[str, tuple[int, int]] = {}
    for kind in LISTED:
        async with db.transaction() as tx:
            page = await _listed(tx, resources, kind)
        async with db.transaction() as tx:
            one = await _statements(tx, resources, page[:1])
        async with db.transaction() as tx:
            many = await _statements(tx, resources, page)
        if many != one:
            grow[kind.noun] = (one, many)
    assert grow == {}
