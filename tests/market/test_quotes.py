"""Quotes: price and place before anything starts, to be accepted as they stand."""

from datetime import timedelta

import pytest

from skerry.identity.authorize import Principal
from skerry.kernel.errors import Conflict, Forbidden, NotFound, ValidationError
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.resources import Resource
from skerry.market import decisions
from skerry.market.ask import Used
from skerry.market.lease import Lease
from tests.market.conftest import Cloud, prepay
from tests.market.supply import EURO, ask, instance, pool

HOURLY = 11 * EURO // 1000


async def quote(cloud: Cloud, name: str = "q", **spec) -> Resource:
    return await cloud.put("quote", name, {"kind": "thing", "spec": spec})


async def accept(cloud: Cloud, quoted: Resource, *, by: Caller = SYSTEM, **body):
    async with cloud.db.transaction() as tx:
        return await cloud.resources.act(tx, quoted, "accept", {"name": "it"} | body, by)


async def test_a_quote_shows_price_place_and_why_not_others(cloud: Cloud):
    await cloud.offer(pool(), instance(price=EURO), instance("us", jurisdiction="US"))
    await cloud.put("policy", "home", {"jurisdictions": ["EU"]})
    status = (await quote(cloud, limit=7200)).status
    assert status["phase"] == "offered"
    assert status["pricePerHourNano"] == HOURLY
    assert status["mostNano"] == 2 * HOURLY
    assert status["place"]["jurisdiction"] == "DE"
    assert status["refused"] == {"jurisdiction": 1}
    assert status["nearest"][0]["why"] == ["policy: only in EU; this offer is in US"]
    assert status["policy"] == "only in EU; isolated at least by sandbox"
    assert [line["meter"] for line in status["lines"]] == ["cpu-hour", "memory-gib-hour"]
    assert await cloud.used("alpha") == Used()
    assert await cloud.held() == 0


async def test_nothing_to_offer_is_said_in_words(cloud: Cloud):
    await cloud.offer(pool())
    quoted = await quote(cloud, millicores=9000)
    assert quoted.status["phase"] == "refused"
    assert quoted.status["message"].startswith("none of 1 offers serves it")
    assert quoted.status["hint"].startswith("The nearest is alpha (DE)")
    with pytest.raises(Conflict, match="offers nothing"):
        await accept(cloud, quoted)
    again = await quote(cloud, millicores=1000)
    assert again.status["phase"] == "offered"
    assert "message" not in again.status


async def test_an_accepted_quote_is_kept_to(cloud: Cloud):
    await cloud.offer(pool())
    quoted = await quote(cloud)
    await cloud.offer(pool(core_price=EURO // 2))
    done = await accept(cloud, quoted, secrets={"password": "s3cret"}, labels={"a": "b"})
    async with cloud.db.transaction() as tx:
        created = await cloud.resources.get(tx, done["created"])
        lease = await cloud.market.reserve(tx, ask(), created)
        opened = await cloud.resources.sealer.open(tx, "acme", created.uid, "password")
    assert isinstance(lease, Lease)
    assert lease.choice.price.per_hour == HOURLY
    assert str(lease.decision) == quoted.status["decision"]
    assert created.labels == {"a": "b"}
    assert created.spec == {}
    assert opened == "s3cret"
    now = await cloud.read(quoted)
    assert now.status["phase"] == "accepted"
    assert now.status["created"] == created.ref
    with pytest.raises(Conflict, match="was accepted as"):
        await accept(cloud, quoted)
    with pytest.raises(Conflict, match="has been accepted"):
        await quote(cloud)


async def test_a_quote_expires(cloud: Cloud):
    await cloud.offer(pool())
    quoted = await quote(cloud)
    hooks = cloud.resources.registry["quote"].hooks
    async with cloud.db.transaction() as tx:
        assert await hooks.shown(tx, cloud.resources, quoted) == {}
    await cloud.db.shift_clock(timedelta(minutes=10))
    async with cloud.db.transaction() as tx:
        assert await hooks.shown(tx, cloud.resources, quoted) == {"phase": "expired"}
    with pytest.raises(Conflict, match="expired"):
        await accept(cloud, quoted)


async def test_what_is_no_longer_to_be_had_is_refused(cloud: Cloud):
    await cloud.offer(pool(millicores=1000))
    quoted = await quote(cloud)
    lease = await cloud.lease()
    with pytest.raises(Conflict, match="too little free"):
        await accept(cloud, quoted)
    await cloud.close(lease)
    policy = await cloud.put("policy", "home", {"jurisdictions": ["EU"]})
    with pytest.raises(Conflict, match="policy has changed"):
        await accept(cloud, quoted)
    async with cloud.db.transaction() as tx:
        await cloud.resources.delete(tx, policy, SYSTEM)
    await prepay(cloud, 5)
    with pytest.raises(Conflict):
        await accept(cloud, quoted)
    assert (await cloud.read(quoted)).status["phase"] == "offered"
    await cloud.put("offer", "alpha", {"instances": {"instanceType": "x", "count": 1},
                                       "currency": "EUR", "suspended": True})  # fmt: skip
    with pytest.raises(Conflict, match="no longer there"):
        await accept(cloud, quoted)
    async with cloud.db.transaction() as tx:
        refused = await cloud.market.reserve(tx, ask(), quoted)
        recorded = await decisions.get(tx, refused.decision)
        with pytest.raises(Conflict, match="nothing was offered"):
            await cloud.market.reserve_quoted(tx, recorded, quoted)


async def test_what_can_be_quoted(cloud: Cloud):
    with pytest.raises(ValidationError, match="can't be quoted"):
        await cloud.put("quote", "q", {"kind": "policy"})
    with pytest.raises(ValidationError, match="can't be quoted"):
        await cloud.put("quote", "q", {"kind": "dragon"})
    with pytest.raises(ValidationError, match="millicores") as caught:
        await quote(cloud, millicores="many")
    assert caught.value.sources[0].pointer == "/spec/spec/millicores"
    with pytest.raises(ValidationError, match="holds no secrets"):
        await quote(cloud, password="s3cret")


async def test_accepting_needs_the_right_to_create(cloud: Cloud):
    await cloud.offer(pool())
    quoted = await quote(cloud)
    stranger = Principal(tenant="acme", subject="users/eve")
    with pytest.raises((Forbidden, NotFound)):
        await accept(cloud, quoted, by=stranger.caller)
    with pytest.raises(ValidationError, match="no secret field"):
        await accept(cloud, quoted, secrets={"millicores": 1})
    await cloud.thing("it")
    with pytest.raises(Conflict, match="exists already"):
        await accept(cloud, quoted)
