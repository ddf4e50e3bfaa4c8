"""Invoices that are sent: numbers, tax, credit notes, payments."""

import asyncio
from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.errors import Conflict, Problem
from skerry.ledger import issued, issuing
from skerry.ledger.reconcile import reconcile
from skerry.ledger.settler import Settler
from skerry.store import Database
from tests.ledger.selling import (
    GERMAN,
    POLISH,
    SELLER,
    SWISS,
    act,
    cloud,
    issue,
    november,
    put,
    used,
)
from tests.ledger.world import balance, verified


async def sound(db: Database) -> None:
    """The log covers it, and everything agrees with everything else."""
    await verified(db)
    async with db.transaction(readonly=True) as tx:
        assert [str(f) for f in await reconcile(tx, records=True)] == []


async def numbers(db: Database) -> list[str]:
    rows = await db.fetch("select number from issued_invoice order by series, serial")
    return [row["number"] for row in rows]


async def test_a_month_is_issued_once_with_its_tax(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db, hours=100)
    await november(db)
    draft = await issue(db, resources, draft=True)
    assert draft["outcome"] == "draft"
    assert await numbers(db) == []
    first = await issue(db, resources)
    assert first == {
        "outcome": "issued", "number": "2026-000001", "net": "1.36", "vat": "0.26",
        "gross": "1.62", "payable": "1.62", "currency": "EUR", "customer": "Größe & Söhne OHG",
    }  # fmt: skip
    assert (await issue(db, resources))["outcome"] == "already"
    assert await numbers(db) == ["2026-000001"]
    told = await db.fetch("select subject, addresses from notice_outbox")
    assert [(t["subject"], t["addresses"]) for t in told] == [
        ("Invoice 2026-000001 of Beispiel Cloud GmbH & Co. KG", ["buchhaltung@example.org"])
    ]
    assert await balance(db, "vat:DE", "") == 260_000_000
    assert await balance(db, "due") == -260_000_000
    await sound(db)


async def test_tax_follows_the_customer(db: Database, tmp_path: FilePath) -> None:
    consumer = {k: v for k, v in POLISH.items() if k != "vatNumber"}
    resources = await cloud(db, tmp_path, de=GERMAN, pl=POLISH, home=consumer, ch=SWISS)
    for tenant in ("de", "pl", "home", "ch"):
        await used(db, tenant)
    await november(db)
    for tenant in ("de", "pl", "home", "ch"):
        await issue(db, resources, tenant)
    async with db.transaction() as tx:
        found = {s.tenant: issued.decode(s.document) for s in await issuing.standings(tx)}
    told = {t: (m.tax.treatment.category, m.tax.treatment.percent, m.vat) for t, m in found.items()}
    assert told == {
        "de": ("S", "19", "0.26"), "pl": ("AE", "0", "0.00"), "home": ("S", "23", "0.31"),
        "ch": ("O", "0", "0.00"),
    }  # fmt: skip
    assert "Reverse charge" in found["pl"].tax.treatment.reason
    assert (found["pl"].due_on, found["de"].due_on) == ("2026-12-03", "2026-11-17")
    await sound(db)


async def test_what_is_missing_is_said(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db)
    with pytest.raises(Conflict, match="2026-10 is not over"):
        await issue(db, resources)
    await november(db)
    await put(db, resources, "billing-account", "main", {"mode": "postpaid"})
    with pytest.raises(Conflict, match="legal name and address of acme are not known"):
        await issue(db, resources)
    assert (await issue(db, resources, period="2026-09"))["outcome"] == "nothing"
    with pytest.raises(Problem, match=r"has not the form of a VAT number of PL: .*checksum"):
        await put(
            db,
            resources,
            "billing-account",
            "main",
            {"mode": "postpaid", "customer": POLISH | {"vatNumber": "PL8567346216"}},
        )
    assert await numbers(db) == []


async def test_credit_notes_never_come_to_more_than_their_invoice(
    db: Database, tmp_path: FilePath
) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db, hours=100)
    await november(db)
    await issue(db, resources)

    async def credit(amount: str = "") -> str:
        body = {"reason": "an outage", "amount": amount}
        done = await act(db, resources, "invoice", "2026-000001", "credit", body)
        return f"{done['number']} {done['net']} {done['vat']}"

    with pytest.raises(Conflict, match=r"1.37 EUR are more than what is left .* 1.36 EUR"):
        await credit("1.37")
    assert await credit("0.50") == "C2026-000001 0.50 0.10"
    with pytest.raises(Conflict, match=r"0.86 EUR before tax"):
        await credit("0.87")
    assert await credit() == "C2026-000002 0.86 0.16"
    with pytest.raises(Conflict, match="more than what is left"):
        await credit()
    async with db.transaction() as tx:
        found = await issuing.standing(tx, "2026-000001")
        assert found.open == 0
        assert found.phase(found.due_on) == "credited"
    assert await balance(db, "vat:DE", "") == 0
    await sound(db)


async def test_payments_make_it_paid_and_time_overdue(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db, hours=100)
    await november(db)
    await issue(db, resources)

    async def pay(amount: str, reference: str) -> str:
        body = {"amount": amount, "reference": reference}
        done = await act(db, resources, "invoice", "2026-000001", "pay", body)
        return f"{done['phase']} {done['open']}"

    assert await pay("1.00", "wire 1") == "open 0.62"
    assert await pay("1.00", "wire 1") == "open 0.62"
    with pytest.raises(Conflict, match=r"0.62 are open of invoice 2026-000001"):
        await pay("0.63", "wire 2")
    await db.execute("update clock set shift = shift + interval '30 days'")
    async with db.transaction() as tx:
        late = await issuing.standing(tx, "2026-000001")
        assert late.phase((await tx.now()).date()) == "overdue"
    assert await pay("0.62", "wire 2") == "paid 0.00"
    assert await balance(db, "due") == 0
    await sound(db)
    # What is credited of a paid invoice is the tenant's to spend.
    await act(db, resources, "invoice", "2026-000001", "credit", {"reason": "a gift"})
    await sound(db)


async def test_credit_that_was_paid_in_pays_the_invoice(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await put(db, resources, "credit", "wire", {"amount": "1.50", "source": "payment"})
    await put(db, resources, "credit", "gift", {"amount": "0.36", "source": "promo"})
    await used(db, hours=100)
    await november(db)
    made = await issue(db, resources)
    assert (made["net"], made["vat"], made["gross"]) == ("1.00", "0.19", "1.19")
    assert made["payable"] == "0.00"
    assert await balance(db, "due") == 0
    await sound(db)


async def test_agreements_stand_on_the_invoice(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN, idle=GERMAN)
    await put(
        db,
        resources,
        "agreement",
        "free",
        {"meter": "cpu-hour", "free": "40", "startsOn": "2026-01-01"},
    )
    await put(
        db,
        resources,
        "agreement",
        "least",
        {"commitment": "100", "startsOn": "2026-10-01", "endsOn": "2026-11-01"},
    )
    await put(
        db, resources, "agreement", "least", {"commitment": "50", "startsOn": "2026-10-01"}, "idle"
    )
    await used(db, hours=100)
    await november(db)
    made = await issue(db, resources)
    assert made["net"] == "100.00"
    assert (await issue(db, resources, "idle"))["net"] == "50.00"
    async with db.transaction() as tx:
        found = await issuing.get(tx, str(made["number"]))
    assert [(line.listed, line.allowance, line.amount) for line in found.lines] == [
        ("1.20", "0.48", "0.72"), ("0.16", "0.00", "0.16"), ("99.12", "0.00", "99.12"),
    ]  # fmt: skip
    assert found.lines[0].allowance_reason == "40 core-hour free, as agreed"
    assert await balance(db, "allowances", "") == -480_000_000
    await sound(db)


async def test_two_operators_issue_at_once(db: Database, tmp_path: FilePath) -> None:
    """No number is left out, none is given twice, nobody waits for ever."""
    tenants = {f"t{i}": GERMAN for i in range(6)}
    resources = await cloud(db, tmp_path, **tenants)
    for tenant in tenants:
        await used(db, tenant, hours=10)
    await november(db)

    async def everything() -> list[str]:
        return [str((await issue(db, resources, tenant))["outcome"]) for tenant in tenants]

    first, second = await asyncio.gather(everything(), everything())
    assert sorted(first + second) == ["already"] * 6 + ["issued"] * 6
    assert await numbers(db) == [f"2026-{n:06d}" for n in range(1, 7)]
    await sound(db)


async def test_one_that_fails_takes_no_number(
    db: Database, tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN, other=GERMAN)
    await used(db)
    await used(db, "other")
    await november(db)
    with monkeypatch.context() as patch:

        async def dies(*_: object, **__: object) -> None:
            raise RuntimeError("the process died")

        patch.setattr(issuing, "_add", dies)
        with pytest.raises(RuntimeError):
            await issue(db, resources)
    assert await balance(db, "vat:DE", "") == 0
    assert (await issue(db, resources, "other"))["number"] == "2026-000001"
    assert (await issue(db, resources))["number"] == "2026-000002"
    await sound(db)


async def test_what_was_issued_can_not_be_altered(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db)
    await november(db)
    await issue(db, resources)
    with pytest.raises(Exception, match="never changed or removed"):
        await db.execute("update issued_invoice set gross = 1")
    await db.execute("alter table issued_invoice disable trigger user")
    await db.execute("update issued_invoice set document = replace(document, '1.36', '1.35')")
    async with db.transaction(readonly=True) as tx:
        found = await reconcile(tx)
    assert {f.subject for f in found} == {"2026-000001"}
    with pytest.raises(AssertionError):
        await verified(db)


async def test_a_database_that_drops_everybody_leaves_no_gap(
    db: Database, tmp_path: FilePath
) -> None:
    """Killed at any moment: what was not committed never was."""
    tenants = {f"t{i}": GERMAN for i in range(4)}
    resources = await cloud(db, tmp_path, **tenants)
    for tenant in tenants:
        await used(db, tenant, hours=10)
    await november(db)
    for _ in range(3):
        tasks = [asyncio.create_task(issue(db, resources, tenant)) for tenant in tenants]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await asyncio.gather(*tasks, return_exceptions=True)
    for tenant in tenants:
        await issue(db, resources, tenant)
    assert await numbers(db) == [f"2026-{n:06d}" for n in range(1, 5)]
    await sound(db)


async def test_who_is_late_is_reminded_once(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db)
    await november(db)
    await issue(db, resources)
    await db.execute("update clock set shift = shift + interval '20 days'")
    for _ in range(2):
        await Settler(db).tick()
    told = "select count(*) from notice_outbox where topic = 'invoice.overdue'"
    alerts = "select count(*) from alert where reason = 'overdue' and cleared_at is null"
    assert (await db.fetchval(told), await db.fetchval(alerts)) == (1, 1)
    body = {"amount": "1.62", "reference": "wire"}
    await act(db, resources, "invoice", "2026-000001", "pay", body)
    assert await db.fetchval(alerts) == 0


IMPOSSIBLE: list[Any] = [
    ({"legalName": "Line\nbreak"}, "can't be printed"),
    ({"country": "XX"}, "'XX' is no country"),
    ({"email": "a b@example.org"}, "expected"),
    ({"email": "ä@example.org"}, "not an e-mail address"),
    ({"vatNumber": "FR40303265045"}, "is not one of DE"),
    ({"iban": "DE89370400440532013001"}, "is no IBAN"),
    ({"vatNumber": "", "taxNumber": ""}, "needs a VAT number or a tax number"),
    ({"vatRates": [{"country": "QQ", "percent": "1"}]}, "'QQ' is no country"),
]


async def test_a_seller_that_can_not_be_is_refused(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path)
    for spec, message in IMPOSSIBLE:
        with pytest.raises(Problem, match=message):
            await put(db, resources, "seller", "main", SELLER | spec)
