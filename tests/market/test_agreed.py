"""What was agreed with a tenant is what its quotes show and its leases freeze."""

import uuid
from typing import Any

import msgspec

from skerry.market import decisions
from skerry.market.ask import Agreed, Row
from skerry.market.match import match
from skerry.market.policy import Policy
from skerry.market.snapshot import Snapshot
from skerry.store import Database
from tests.ledger.world import START
from tests.market.conftest import Cloud
from tests.market.supply import EURO, ask, pool


async def agree(db: Database, name: str, tenant: str = "acme", **spec: Any) -> None:
    """Put an agreement as the kernel would store it."""
    await db.execute(
        "insert into resource (uid, kind, ref, name, tenant, workspace, region, parent_ref, "
        "root_uid, created_by, labels, annotations, extensions, spec, spec_version, status, state, "
        "conditions, version, generation, created_at, modified_at) "
        "values ($1, 'agreement', $2, $3, $4, '', '', '', $1, 'test', '{}', '{}', '{}', $5, 'v1', "
        "'{}', 'active', '[]', 1, 1, now(), now())",
        uuid.uuid4(),
        f"agreement/{tenant}/{name}",
        name,
        tenant,
        {"startsOn": "2026-01-01"} | spec,
    )


async def test_a_quote_shows_the_agreed_price_and_the_lease_freezes_it(cloud: Cloud) -> None:
    await cloud.offer(pool(price_version=1))
    await agree(cloud.db, "cores", meter="cpu-hour", price="0.004")
    await agree(cloud.db, "free", meter="cpu-hour", free="40")
    await agree(cloud.db, "over", meter="cpu-hour", price="0.001", endsOn="2026-02-01")
    await agree(cloud.db, "else", "other", meter="cpu-hour", price="0.002")
    quoted = await cloud.put("quote", "q", {"kind": "thing", "spec": {}})
    assert quoted.status["pricePerHourNano"] == 4 * EURO // 1000 + EURO // 1000
    assert quoted.status["agreed"] == [
        "cpu-hour at 0.004 EUR a core-hour", "40 core-hour of cpu-hour free a month",
    ]  # fmt: skip
    lease = await cloud.lease()
    assert lease.choice.price.per_hour == quoted.status["pricePerHourNano"]


def test_the_most_telling_agreement_counts_and_only_for_our_own_list() -> None:
    agreed = (
        Agreed(meter="gpu-hour", price=EURO),
        Agreed(meter="gpu-hour", sku="H100", price=EURO // 2),
    )
    wanted = msgspec.structs.replace(ask(gpus=1), agreed=agreed)
    for version, price in ((1, EURO // 2), (0, 2 * EURO)):
        decision = match(
            wanted, Snapshot.of([Row(offer=pool(price_version=version))]), Policy(), START
        )
        assert decision.chosen is not None
        found = {line.meter: line.unit_price for line in decision.chosen.price.lines}
        assert found["gpu-hour"] == price


def test_a_price_that_is_not_known_is_not_made_up_by_an_agreement() -> None:
    wanted = msgspec.structs.replace(ask(), agreed=(Agreed(meter="cpu-hour", price=1),))
    decision = match(
        wanted, Snapshot.of([Row(offer=pool(price_version=1, core_price=None))]), Policy(), START
    )
    assert decision.chosen is None
    assert decision.refused == {"price-unknown": 1}


async def test_an_auditor_comes_to_the_same_decision(cloud: Cloud) -> None:
    await cloud.offer(pool(price_version=1))
    await agree(cloud.db, "cores", meter="cpu-hour", price="0.004")
    quoted = await cloud.put("quote", "q", {"kind": "thing", "spec": {}})
    async with cloud.db.transaction() as tx:
        recorded, again = await decisions.recompute(tx, uuid.UUID(str(quoted.status["decision"])))
    assert again == recorded.decision
    assert [a.price for a in again.ask.agreed] == [4 * EURO // 1000]
