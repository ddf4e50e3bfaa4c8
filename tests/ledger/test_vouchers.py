"""Vouchers, and what becomes of a tenant whose money is gone."""

import asyncio
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.errors import Problem
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.ledger.settler import Settler
from skerry.store import Database
from tests.ledger.selling import GERMAN, OPERATOR, REGISTRY, cloud, issue, november, put, used
from tests.ledger.test_issuing import sound
from tests.ledger.world import HOURLY, MINUTE, START, balance, run, see, set_clock


async def voucher(db: Database, resources: Resources, name: str, **spec: Any) -> str:
    """Make one; its code."""
    full = {"amount": "5", "lastDay": "2026-12-31"} | spec
    async with db.transaction() as tx:
        done = await resources.put(
            tx, REGISTRY["voucher"], Path(name=name), {"spec": full}, OPERATOR
        )
    return str(done.once["code"])


async def redeemed(db: Database, resources: Resources, name: str, code: str, tenant: str) -> str:
    found = await put(db, resources, "redemption", name, {"code": code}, tenant)
    return str(found.status["phase"])


async def test_a_code_is_worth_its_money_once(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN, other=GERMAN)
    code = await voucher(db, resources, "xmas")
    assert await balance(db, "vouchers", "") == 5 * 10**9
    told = await db.fetch("select body from change where subject like '%voucher%'")
    assert told
    assert code not in str(told)
    assert await redeemed(db, resources, "one", code.lower(), "acme") == "redeemed"
    assert await redeemed(db, resources, "one", code.lower(), "acme") == "redeemed"
    assert await redeemed(db, resources, "again", code, "acme") == "failed"
    assert await redeemed(db, resources, "mine", code, "other") == "failed"
    assert await redeemed(db, resources, "guess", "AAAA-BBBB-CCCC-DDDD", "other") == "failed"
    assert await balance(db, "funds") == 5 * 10**9
    assert await balance(db, "vouchers", "") == 0
    await sound(db)


async def test_of_two_who_redeem_at_once_one_has_it(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN, other=GERMAN)
    code = await voucher(db, resources, "xmas")
    phases = await asyncio.gather(
        redeemed(db, resources, "one", code, "acme"),
        redeemed(db, resources, "one", code, "other"),
    )
    assert sorted(phases) == ["failed", "redeemed"]
    assert await balance(db, "funds") + await balance(db, "funds", "other") == 5 * 10**9


async def test_what_nobody_redeems_is_the_operators(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    with pytest.raises(Problem, match="2026-10-04 is over"):
        await voucher(db, resources, "late", lastDay="2026-10-04")
    sold = await voucher(db, resources, "sold", lastDay="2026-10-06")
    await voucher(db, resources, "gift", lastDay="2026-10-06", source="gift")
    await set_clock(db, START + timedelta(days=3))
    await Settler(db).tick()
    assert await balance(db, "breakage", "") == 5 * 10**9
    assert await balance(db, "vouchers", "") == 0
    assert await redeemed(db, resources, "one", sold, "acme") == "failed"
    await sound(db)


async def test_a_gift_lowers_the_invoice_a_sold_one_pays_it(
    db: Database, tmp_path: FilePath
) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN, other=GERMAN)
    for tenant, source in (("acme", "gift"), ("other", "sold")):
        code = await voucher(db, resources, source, source=source)
        await redeemed(db, resources, "one", code, tenant)
        await used(db, tenant, hours=100)
    await november(db)
    given, paid = await issue(db, resources), await issue(db, resources, "other")
    assert (given["net"], given["gross"]) == ("0.00", "0.00")
    assert (paid["net"], paid["gross"], paid["payable"]) == ("1.36", "1.62", "0.00")
    await sound(db)


async def test_data_is_kept_when_the_money_is_gone(db: Database, tmp_path: FilePath) -> None:
    """Said at once with a date, said again to the operator when it is over; money ends it."""
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await put(db, resources, "billing-account", "main", {"mode": "prepaid", "customer": GERMAN})
    await put(db, resources, "credit", "wire", {"amount": "0.0368"})
    await run(db, hold=HOURLY, horizon=600)
    await db.execute("update clock set shift = shift + interval '65 minutes'")
    await see(db, START + 65 * MINUTE)

    async def account() -> dict[str, Any]:
        kind = REGISTRY["billing-account"]
        async with db.transaction(readonly=True) as tx:
            found = await resources.get(tx, resources.ref(kind, Path(tenant="acme", name="main")))
            assert kind.hooks is not None
            return dict(await kind.hooks.shown(tx, resources, found))

    assert (await account())["phase"] == "funded"
    await Settler(db, resources=resources).tick()
    short = await account()
    assert short["phase"] == "out-of-money"
    assert short["dataKeptUntil"].startswith("2026-11-04")
    alerts = "select reason from alert where subject = 'the money of acme' and cleared_at is null"
    assert [row["reason"] for row in await db.fetch(alerts)] == ["out-of-money"]
    assert (
        await db.fetchval("select count(*) from notice_outbox where topic = 'account.out-of-money'")
        == 1
    )
    await db.execute("update clock set shift = shift + interval '31 days'")
    for _ in range(2):
        await Settler(db, resources=resources).tick()
    assert {row["reason"] for row in await db.fetch(alerts)} == {"out-of-money", "over"}
    assert (await account())["phase"] == "out-of-money"
    await put(db, resources, "credit", "more", {"amount": "5"})
    await Settler(db, resources=resources).tick()
    assert (await account())["phase"] == "funded"
    assert await db.fetch(alerts) == []
    await sound(db)
