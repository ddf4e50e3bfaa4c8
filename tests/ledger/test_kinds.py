"""Billing as tenants and operators see it: through resources."""

import asyncio
import io
import json
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

import pyarrow.parquet as pq
import pytest

from skerry.identity.kinds import KINDS as IDENTITY
from skerry.kernel import alerts
from skerry.kernel.errors import Problem, ValidationError
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.kernel.views import Asked
from skerry.ledger import budgets, chart, holds, price_lists
from skerry.ledger.journal import InsufficientFunds
from skerry.ledger.kinds import KINDS
from skerry.ledger.publish import publish, publish_invoice
from skerry.ledger.settler import Settler
from skerry.store import Database
from tests.ledger.world import (
    EURO,
    HOUR,
    HOURLY,
    MINUTE,
    START,
    balance,
    finish,
    open_cloud,
    prices,
    run,
    see,
    set_clock,
    verified,
)

REGISTRY = Registry((*IDENTITY, *KINDS))
OPERATOR = Caller("root@operator", "operator", True)


@pytest.fixture
async def resources(db: Database, tmp_path: FilePath) -> Resources:
    await set_clock(db, START)
    found = Resources(REGISTRY, Sealer(tmp_path / "key"), "eu")
    async with db.transaction() as tx:
        await prices(tx)
        for tenant in ("acme", "operator"):
            await found.put(tx, REGISTRY["tenant"], Path(name=tenant), {"spec": {}}, SYSTEM)
    return found


async def put(
    db: Database, resources: Resources, noun: str, name: str, spec: Any, tenant: str = "acme"
) -> Resource:
    async with db.transaction() as tx:
        path = Path(tenant=tenant, name=name)
        done = await resources.put(tx, REGISTRY[noun], path, {"spec": spec}, OPERATOR)
        return done.resource


async def shown(
    db: Database, resources: Resources, noun: str, name: str, tenant: str = "acme"
) -> dict[str, Any]:
    kind = REGISTRY[noun]
    async with db.transaction(readonly=True) as tx:
        found = await resources.get(tx, ref_of(kind, Path(tenant=tenant, name=name)))
        assert kind.hooks is not None
        return dict(await kind.hooks.shown(tx, resources, found))


async def names(db: Database, noun: str, tenant: str = "acme") -> list[str]:
    rows = await db.fetch(
        "select name from resource where kind = $1 and tenant = $2 order by name", noun, tenant
    )
    return [row["name"] for row in rows]


async def test_a_budget_binds_and_shows_where_it_stands(db: Database, resources: Resources) -> None:
    await put(db, resources, "budget", "team", {"amount": "0.0272"})
    assert await shown(db, resources, "budget", "team") == {
        "phase": "ok", "spent": "0.00", "held": "0.00", "left": "0.0272", "currency": "EUR",
        "reached": [],
    }  # fmt: skip
    lease = await run(db)
    await finish(db, lease, START + HOUR)
    await run(db, "two")
    assert (await shown(db, resources, "budget", "team"))["phase"] == "exhausted"
    with pytest.raises(budgets.BudgetExhausted):
        await run(db, "three", hold=1)
    await put(db, resources, "budget", "team", {"amount": "0.03"})
    found = await shown(db, resources, "budget", "team")
    assert (found["phase"], found["reached"], found["left"]) == ("ok", [], "0.0028")
    await run(db, "three", hold=1)


async def test_a_budget_that_changes_clears_its_alerts(db: Database, resources: Resources) -> None:
    await put(db, resources, "budget", "team", {"amount": "0.0136", "thresholds": [60, 20]})
    await finish(db, await run(db), START + 40 * MINUTE)
    found = await shown(db, resources, "budget", "team")
    assert (found["phase"], found["reached"]) == ("warning", [20, 60])
    assert len(await alerts.open_alerts(db, "acme")) == 2
    await put(db, resources, "budget", "team", {"amount": "9"})
    assert await alerts.open_alerts(db, "acme") == []
    await verified(db)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"amount": "0.00"}, "would stop everything"),
        ({"amount": "5", "currency": "CHF"}, "acme is billed in EUR"),
        ({"amount": 5}, "spec.amount: expected `str`"),
        ({"amount": "-5"}, "matching regex"),
        ({"amount": "1e9"}, "matching regex"),
        ({"amount": "5", "thresholds": [101]}, "<= 100"),
        ({"amount": "5", "limit": "4"}, "unknown field"),
    ],
)
async def test_a_budget_that_makes_no_sense_is_refused(
    db: Database, resources: Resources, spec: Any, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        await put(db, resources, "budget", "team", spec)


async def test_an_account_says_what_a_tenant_has_and_may_owe(
    db: Database, resources: Resources
) -> None:
    await put(db, resources, "billing-account", "main", {"mode": "prepaid"})
    with pytest.raises(InsufficientFunds):
        await run(db)
    paid = await put(db, resources, "credit", "first", {"amount": "0.02", "note": "wire 17"})
    gift = await put(db, resources, "credit", "hello", {"amount": "0.01", "source": "promo"})
    assert paid.status["transfer"] != gift.status["transfer"]
    await put(db, resources, "credit", "first", {"amount": "0.02", "note": "wire 17"})
    with pytest.raises(ValidationError, match=r"spec\.amount can't be changed"):
        await put(db, resources, "credit", "first", {"amount": "0.03", "note": "wire 17"})
    with pytest.raises(ValidationError, match="a credit of nothing"):
        await put(db, resources, "credit", "none", {"amount": "0"})
    await run(db, at=START - HOUR // 2)
    await see(db, START)
    assert await shown(db, resources, "billing-account", "main") == {
        "balance": "0.0164", "held": "0.0136", "available": "0.0164", "thisMonth": "0.0068",
        "perHour": "0.0136", "currency": "EUR", "due": "0.00", "phase": "funded",
    }  # fmt: skip
    assert await balance(db, "cash", "") == -EURO // 50
    assert await balance(db, "promo", "") == -EURO // 100
    await verified(db)


@pytest.mark.parametrize(
    ("name", "spec", "message"),
    [
        ("other", {"mode": "prepaid"}, "one account, named 'main'"),
        ("main", {"mode": "prepaid", "creditLimit": "5"}, "no credit"),
        ("main", {"mode": "barter"}, "invalid enum value"),
        ("main", {}, "mode"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused(
    db: Database, resources: Resources, name: str, spec: Any, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        await put(db, resources, "billing-account", name, spec)


async def test_what_there_is_to_show_is_published(db: Database, resources: Resources) -> None:
    await run(db)
    async with db.transaction() as tx:
        await publish_invoice(tx, resources, "acme")
        await publish_invoice(tx, resources, "acme")
        await publish_invoice(tx, resources, "stranger")
    assert await names(db, "invoice") == ["2026-10"]
    assert (await shown(db, resources, "invoice", "2026-10"))["phase"] == "draft"
    november = datetime(2026, 11, 1, 1, tzinfo=START.tzinfo)
    await set_clock(db, november)
    await see(db, november)
    settler = Settler(db, resources=resources)
    await settler.tick()
    await settler.tick()
    assert await names(db, "invoice") == ["2026-10", "2026-11"]
    assert await names(db, "invoice", "operator") == []
    assert await names(db, "price-list", "operator") == ["v1"]
    assert await names(db, "billing-account") == ["main"]
    own = await shown(db, resources, "billing-account", "main", "operator")
    assert own["available"] == ""
    assert (await shown(db, resources, "billing-account", "main"))["available"] != ""
    await verified(db)


async def test_two_first_leases_at_once_put_one_invoice(db: Database, resources: Resources) -> None:
    async def second() -> None:
        async with db.transaction() as tx:
            await publish_invoice(tx, resources, "acme")

    async with db.transaction() as tx:
        await publish_invoice(tx, resources, "acme")
        task = asyncio.create_task(second())
        await asyncio.sleep(0.1)
    await task
    assert await names(db, "invoice") == ["2026-10"]


async def test_a_cloud_without_invoices_needs_none(db: Database, resources: Resources) -> None:
    bare = Resources(Registry(tuple(IDENTITY)), resources.sealer, "eu")
    async with db.transaction() as tx:
        await publish_invoice(tx, bare, "acme")
    assert await names(db, "invoice") == []


async def test_publishing_waits_if_it_can_not_be_done_now(
    db: Database, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*args: Any, **more: Any) -> None:
        raise Problem("someone else just did")

    monkeypatch.setattr(resources, "put", refuse)
    await Settler(db, resources=resources).tick()
    monkeypatch.undo()
    await Settler(db, resources=resources).tick()
    assert await names(db, "price-list") == ["v1"]


async def test_a_price_list_can_be_read_aloud(db: Database, resources: Resources) -> None:
    async with db.transaction() as tx:
        await publish(tx, resources)
    found = await shown(db, resources, "price-list", "v1")
    assert (found["phase"], found["currency"]) == ("current", "EUR")
    assert {"meter": "cpu-hour", "unit": "core-hour", "price": "0.012"} in found["prices"]
    assert {"meter": "gpu-hour", "unit": "GPU-hour", "price": "2.30", "sku": "H100"} in (
        found["prices"]
    )
    assert json.dumps(found)
    later = (
        'version = 2\ncurrency = "EUR"\neffective = 2026-12-01\n[prices.gpu-hour]\nT4 = "1"\n'
        '[[places]]\nsite = "b"\n[places.prices]\ncpu-hour = "0.01"\n'
    )
    async with db.transaction() as tx:
        await price_lists.load(tx, later)
        await publish(tx, resources)
    assert (await shown(db, resources, "price-list", "v2"))["phase"] == "future"
    await set_clock(db, datetime(2026, 12, 2, tzinfo=START.tzinfo))
    assert (await shown(db, resources, "price-list", "v1"))["phase"] == "past"
    found = await shown(db, resources, "price-list", "v2")
    assert found["prices"] == [
        {"meter": "gpu-hour", "unit": "GPU-hour", "price": "1.00", "sku": "T4"},
        {"meter": "cpu-hour", "unit": "core-hour", "price": "0.01", "site": "b"},
    ]
    assert found["phase"] == "current"


async def test_an_invoice_is_a_document_a_page_and_an_export(
    db: Database, resources: Resources
) -> None:
    lease = await run(db)
    await finish(db, lease, START + 2 * HOUR)
    await Settler(db, resources=resources).tick()
    await set_clock(db, START + timedelta(days=40))
    await Settler(db, resources=resources).tick()
    found = await shown(db, resources, "invoice", "2026-10")
    assert (found["phase"], found["total"], found["lines"]) == ("closed", "0.02", 2)
    kind = REGISTRY["invoice"]
    async with db.transaction() as tx:
        resource = await resources.get(tx, ref_of(kind, Path(tenant="acme", name="2026-10")))
    asked = Asked(db, resources, Services(), resource, OPERATOR)
    answers = {
        view.name: await view.answer(asked)
        for view in kind.views
        if view.name in ("document", "page", "focus")
    }
    assert json.dumps(answers["document"])
    assert answers["document"]["lines"][0]["lease"] == str(lease.id)
    assert b"Invoice for October 2026" in answers["page"]
    assert pq.read_table(io.BytesIO(answers["focus"])).num_rows == 2


async def test_a_tenant_is_known_before_it_ever_spent(db: Database, resources: Resources) -> None:
    async with db.transaction(readonly=True) as tx:
        assert (await holds.terms(tx, "acme")).credit_limit == 1000 * EURO
        assert (await holds.terms(tx, "operator")).credit_limit is None
        assert await holds.available(tx, "acme", "lab") == 1000 * EURO
        assert await holds.available(tx, "operator", "lab") is None
        assert await chart.terms_of(tx, "operator") is None
    await open_cloud(db, funds=HOURLY)
    async with db.transaction(readonly=True) as tx:
        assert await holds.available(tx, "acme", "lab") == HOURLY
