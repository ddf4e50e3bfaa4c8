"""What can be agreed, and what not."""

from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.errors import ValidationError
from skerry.kernel.paths import Path
from skerry.store import Database
from tests.ledger.selling import GERMAN, REGISTRY, cloud, put

IMPOSSIBLE: list[Any] = [
    ({}, "agrees on nothing"),
    ({"price": "1"}, "a price is of a meter"),
    ({"price": "1", "meter": "cpu"}, "is not a meter"),
    ({"price": "275", "meter": "cpu-hour"}, "274.00 is the highest price of a cpu-hour"),
    ({"commitment": "1", "startsOn": "2026-10-02"}, "not the first of a month"),
    ({"free": "1", "meter": "cpu-hour", "endsOn": "2027-01-15"}, "not the first of a month"),
    ({"commitment": "1", "endsOn": "2026-10-01"}, "ends before it starts"),
    ({"commitment": "1", "startsOn": "2026-13-01"}, "is no day"),
]


async def test_what_can_not_be_agreed_is_refused(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    for spec, message in IMPOSSIBLE:
        with pytest.raises(ValidationError, match=message):
            await put(db, resources, "agreement", "it", {"startsOn": "2026-10-01"} | spec)


async def test_an_agreement_says_what_and_when(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    specs = {
        "past": {"commitment": "5", "startsOn": "2026-01-01", "endsOn": "2026-10-01"},
        "current": {"meter": "gpu-hour", "sku": "H100", "price": "1.9", "startsOn": "2026-10-05"},
        "future": {"meter": "cpu-hour", "free": "40", "startsOn": "2026-11-01"},
    }
    kind = REGISTRY["agreement"]
    assert kind.hooks is not None
    told = {}
    for name, spec in specs.items():
        await put(db, resources, "agreement", name, spec)
        async with db.transaction(readonly=True) as tx:
            found = await resources.get(tx, resources.ref(kind, Path(tenant="acme", name=name)))
            shown = await kind.hooks.shown(tx, resources, found)
        assert shown["phase"] == name
        told[name] = shown["words"]
    assert told == {
        "past": "at least 5 EUR a month",
        "current": "gpu-hour H100 at 1.9 EUR a GPU-hour",
        "future": "40 core-hour of cpu-hour free a month",
    }
