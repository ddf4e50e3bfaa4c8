"""Decisions can be computed again, and show when somebody altered them."""

import uuid

import pytest

from skerry.kernel import changes
from skerry.kernel.errors import NotFound
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.views import Asked
from skerry.market import decisions, offers, views
from skerry.market.decisions import Tampered
from tests.market.conftest import Cloud
from tests.market.supply import EURO, ask, instance, pool


async def made(cloud: Cloud) -> uuid.UUID:
    """A decision with some history before it."""
    await cloud.offer(pool(), instance(price=EURO))
    for _ in range(3):
        await cloud.close(await cloud.reserve())
    await cloud.offer(pool("beta"), instance("dear", price=2 * EURO))
    async with cloud.db.transaction() as tx:
        await offers.retire(tx, "dear")
    lease = await cloud.reserve()
    await cloud.offer(pool(core_price=EURO), pool("gamma"))
    return lease.decision


async def witnessed(cloud: Cloud, id: uuid.UUID) -> bool:
    """Whether what the audit rebuilds is what was logged."""
    logged = await cloud.db.fetchval(
        "select body from change where kind = 'decision' and subject = $1", str(id)
    )
    async with cloud.db.transaction() as tx:
        rebuilt = await changes.WITNESSES["decision"](tx, str(id))
    return rebuilt is not None and changes.canonical(rebuilt).decode() == logged


async def test_every_decision_follows_from_what_it_names(cloud: Cloud):
    await made(cloud)
    for record in await cloud.db.fetch("select id from decision"):
        async with cloud.db.transaction() as tx:
            recorded, again = await decisions.recompute(tx, record["id"])
        assert recorded.decision == again
        assert await witnessed(cloud, record["id"])


@pytest.mark.parametrize(
    "statement",
    [
        "update decision set body = replace(body, '\"perHour\":', '\"perHour\":1')",
        "update decision set body = 'nonsense'",
        "update decision set outcome = 'quoted'",
        "update decision set tenant = 'other'",
        "update decision set changes = '[]'",
        "update decision set changes = '[[\"alpha\", 1]]'",
        "alter table offer_state disable trigger all; "
        "update offer_state set digest = '\\x00'; alter table offer_state enable trigger all",
    ],
)
async def test_an_altered_decision_is_noticed(cloud: Cloud, statement: str):
    id = await made(cloud)
    assert await witnessed(cloud, id)
    for part in statement.split(";"):
        await cloud.db.execute(part)
    assert not await witnessed(cloud, id)


async def test_a_removed_decision_is_noticed(cloud: Cloud):
    id = await made(cloud)
    await cloud.db.execute("delete from lease")
    await cloud.db.execute("delete from decision")
    assert not await witnessed(cloud, id)
    async with cloud.db.transaction() as tx:
        with pytest.raises(NotFound):
            await decisions.get(tx, id)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update offer_terms set body = replace(body, 'DE', 'US')", "was altered"),
        ("update offer_state set used = '{\"count\":9}' where offer = 'beta'", "was altered"),
        ("update offer_snapshot set members = '[]'", "does not hold what"),
        ("update offer_state set digest = '\\x00'", "does not hold what"),
        (
            "update decision set changes = replace(changes, '\"beta\",', '\"beta\",9')",
            "states of offers are missing",
        ),
    ],
)
async def test_altered_offers_are_noticed(cloud: Cloud, statement: str, said: str):
    id = await made(cloud)
    await cloud.db.execute(statement)
    async with cloud.db.transaction() as tx:
        with pytest.raises(Tampered, match=said):
            await decisions.recompute(tx, id)


async def test_an_altered_choice_is_not_what_follows(cloud: Cloud):
    id = await made(cloud)
    await cloud.db.execute("update decision set body = replace(body, 'alpha', 'beta')")
    async with cloud.db.transaction() as tx:
        recorded, again = await decisions.recompute(tx, id)
    assert recorded.decision != again


async def test_a_missing_snapshot_is_noticed(cloud: Cloud):
    id = await made(cloud)
    await cloud.db.execute("alter table decision drop constraint decision_base_fkey")
    await cloud.db.execute("delete from offer_snapshot")
    async with cloud.db.transaction() as tx:
        with pytest.raises(Tampered, match="is missing"):
            await decisions.recompute(tx, id)


async def test_a_resource_shows_its_last_decision(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing()

    async def shown(resource) -> dict:
        asked = Asked(cloud.db, cloud.resources, Services(), resource, SYSTEM)
        return await views.decision(asked)

    with pytest.raises(NotFound):
        await shown(owner)
    await cloud.reserve(ask(millicores=99_000), owner)
    assert (await shown(owner))["outcome"] == "unplaced"
    assert (await shown(owner))["policyInWords"] == "isolated at least by sandbox"
    lease = await cloud.lease(owner=owner)
    await cloud.close(lease)
    await cloud.reserve(ask(millicores=2000), owner)
    async with cloud.db.transaction() as tx:
        resource = (await cloud.resources.children(tx, owner.uid))[0]
        history = await decisions.all_of(tx, owner.uid)
    assert (await shown(resource))["id"] == str(lease.decision)
    assert (await shown(owner))["ask"]["millicores"] == 2000
    assert [h.outcome for h in history] == ["placed", "placed", "unplaced"]
