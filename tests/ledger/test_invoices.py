"""From usage to invoice, page and export; all agree, and what is altered is named."""

import asyncio
import io
import json
import os
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import asyncpg
import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, NotFound
from skerry.ledger import focus, holds, invoices, money, settle, streams
from skerry.ledger.cost import cost, costs
from skerry.ledger.evidence import evidence
from skerry.ledger.invoice_page import page
from skerry.ledger.meters import unit_of
from skerry.ledger.reconcile import reconcile
from skerry.ledger.settle import Reading
from skerry.ledger.settler import Settler
from skerry.ledger.streams import Charge
from skerry.proof.tree import leaf_hash, verify_inclusion
from skerry.store import Database
from tests.ledger.world import (
    EURO,
    HOUR,
    HOURLY,
    MINUTE,
    START,
    balance,
    finish,
    lease_of,
    open_cloud,
    run,
    see,
    set_clock,
    verified,
)

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
GOLDEN = Path(__file__).parent / "golden"


async def settled(db: Database, at: datetime) -> None:
    await set_clock(db, at)
    await see(db, at)
    await Settler(db).tick()


async def the_invoice(db: Database, month: date = OCTOBER) -> invoices.Invoice:
    async with db.transaction(readonly=True) as tx:
        return await invoices.invoice(tx, "acme", month)


async def close(db: Database, month: date = OCTOBER) -> invoices.Invoice:
    async with db.transaction() as tx:
        return await invoices.close(tx, "acme", month)


async def agreed(db: Database) -> None:
    await verified(db)
    async with db.transaction(readonly=True) as tx:
        assert await reconcile(tx, records=True) == []


async def a_month(db: Database) -> None:
    """Two jobs in October, one of which runs into November, and a third by tokens."""
    await open_cloud(db)
    one = await run(db, "train", at=START)
    await run(db, "serve", workspace="office", at=START + timedelta(minutes=7, seconds=13))
    tokens = lease_of("chat", workspace="office")
    async with db.transaction() as tx:
        await holds.reserve(tx, tokens, EURO)
        charge = Charge(meter="token-million", sku="small <b>", price=2 * EURO, per=10**6,
                        price_version=1)  # fmt: skip
        await holds.start(tx, tokens.id, [charge], source="gate", region="eu", at=START)
        await settle.count(tx, [
            Reading(lease=tokens.id, meter="token-million", sku="small <b>", quantity=1_234_567,
                    start=START, end=START + MINUTE),
        ])  # fmt: skip
    await settled(db, START + 90 * MINUTE)
    await finish(db, one, START + 91 * MINUTE + timedelta(microseconds=250_000))
    await finish(db, tokens, START + 2 * HOUR)


async def test_the_running_month_is_a_draft(db: Database) -> None:
    await open_cloud(db)
    async with db.transaction() as tx:
        empty = await invoices.invoice(tx, "acme", OCTOBER)
    assert (empty.state, empty.total, empty.lines) == ("draft", "0.00", ())
    assert "Nothing was used." in page(empty)
    await run(db)
    await settled(db, START + HOUR)
    draft = await the_invoice(db)
    assert (draft.state, draft.exact, draft.total) == ("draft", "0.0136", "0.01")
    assert "Cost so far in October 2026" in page(draft)
    async with db.transaction() as tx:
        assert await invoices.months(tx, "acme") == [OCTOBER]
        with pytest.raises(Conflict, match="2026-10 is not over"):
            await invoices.close(tx, "acme", OCTOBER)
    assert await db.fetchval("select count(*) from invoice") == 0
    assert focus.table(draft)["InvoiceId"].to_pylist() == [None, None]


async def test_a_closed_invoice_never_changes(db: Database) -> None:
    await a_month(db)
    await settled(db, datetime(2026, 11, 1, 6, tzinfo=START.tzinfo))
    assert (await the_invoice(db)).state == "draft"
    await settled(db, datetime(2026, 11, 2, 0, 1, tzinfo=START.tzinfo))
    closed = await the_invoice(db)
    assert closed.state == "closed"
    assert await close(db) == closed
    await settled(db, datetime(2026, 11, 3, tzinfo=START.tzinfo))
    assert await the_invoice(db) == closed
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await db.execute("update invoice set total = 0")
    await agreed(db)


async def test_total_is_lines_is_ledger_is_export(db: Database) -> None:
    await a_month(db)
    november = datetime(2026, 11, 1, 0, 1, tzinfo=START.tzinfo)
    await settled(db, november)
    made = await close(db)
    total = money.parse(made.total)
    assert total == sum(money.parse(line.amount) for line in made.lines)
    exact = sum(money.parse(line.exact) for line in made.lines)
    assert abs(total - exact) <= len(made.lines) * 5_000_000
    assert await balance(db, "carry") == exact - total
    assert await balance(db, "rounding", "") == total - exact
    november_spent = await db.fetchval(
        "select sum(amount) from spending where period = $1", NOVEMBER
    )
    assert await balance(db, "revenue:run") == exact + november_spent
    table = pq.read_table(io.BytesIO(focus.parquet(made)))
    assert sum(table["BilledCost"].to_pylist()) == Decimal(made.total)
    assert set(table["InvoiceId"].to_pylist()) == {"acme-2026-10"}
    assert table.schema.field("ChargePeriodStart").type.tz == "UTC"
    for start, end in zip(table["ChargePeriodStart"], table["ChargePeriodEnd"], strict=True):
        assert start.as_py() < end.as_py() <= datetime(2026, 11, 1, tzinfo=START.tzinfo)
    await agreed(db)


@pytest.mark.parametrize(
    ("meter", "unit"),
    [
        ("cpu-hour", "core-Hours"),
        ("memory-gib-hour", "GiB-Hours"),
        ("storage-gib-month", "GiB-Months"),
        ("a-rare-thing-hour", "a rare thing-Hours"),
        ("egress-gib", "GiB"),
        ("input-token-million", "1000000 input token"),
        ("request-each", "request"),
        ("widgets", "Units"),
    ],
)
def test_units_are_written_as_focus_wants_them(meter: str, unit: str) -> None:
    golden = invoices.decode((GOLDEN / "invoice.json").read_text())
    line = msgspec.structs.replace(golden.lines[0], meter=meter, unit=unit_of(meter))
    assert focus.unit(line) == unit


async def test_what_comes_late_is_an_adjustment_of_the_open_month(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db, source="away")
    here = await run(db, "here")
    november = datetime(2026, 11, 1, 1, tzinfo=START.tzinfo)
    await settled(db, november)
    october = await close(db)
    assert [line.lease for line in october.lines] == [str(here.id)] * 2
    await finish(db, lease, START + 10 * HOUR)
    late = [line for line in (await the_invoice(db, NOVEMBER)).lines if line.lease == str(lease.id)]
    assert [line.adjusts for line in late] == ["2026-10"] * 2
    assert sum(money.parse(line.exact) for line in late) == HOURLY * 10
    assert "Adjustment for 2026-10" in page(await the_invoice(db, NOVEMBER))
    december = datetime(2026, 12, 1, tzinfo=START.tzinfo)
    await finish(db, here, november)
    await set_clock(db, december)
    table = focus.table(await close(db, NOVEMBER))
    assert table["ChargeClass"].to_pylist().count("Correction") == 2
    assert await the_invoice(db) == october
    await agreed(db)


async def test_closing_waits_for_what_was_seen_but_not_settled(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    november = datetime(2026, 11, 1, 1, tzinfo=START.tzinfo)
    await set_clock(db, november)
    await see(db, november)
    with pytest.raises(Conflict, match="not settled yet"):
        await close(db)
    await finish(db, lease, november)
    assert (await close(db)).state == "closed"
    with pytest.raises(NotFound, match="used nothing in 2026-09"):
        await close(db, date(2026, 9, 1))
    await agreed(db)


async def test_an_invoice_that_can_not_be_closed_yet_is_tried_again(db: Database) -> None:
    await open_cloud(db)
    await run(db)
    await settled(db, START + HOUR)
    lease = await run(db, "late", at=START + HOUR)
    async with db.transaction() as tx:
        await streams.stop(tx, lease.id, START + 2 * HOUR)
    later = datetime(2026, 11, 3, tzinfo=START.tzinfo)
    await set_clock(db, later)
    async with db.transaction() as tx:
        await holds.lock(tx, lease.id)
        assert (await Settler(db).tick()).closed == []
    assert (await Settler(db).tick()).closed == ["acme-2026-10"]


async def test_what_is_settled_while_an_invoice_is_closed_is_on_it(db: Database) -> None:
    await open_cloud(db)
    lease, other = await run(db), await run(db, "other")
    await finish(db, other, START + HOUR)
    november = datetime(2026, 11, 1, tzinfo=START.tzinfo)
    await set_clock(db, november)
    async with db.transaction() as tx:
        await settle.finish(tx, lease.id, START + HOUR)
        closing = [asyncio.create_task(close(db)) for _ in range(2)]
        await asyncio.sleep(0.2)
    first, second = await asyncio.gather(*closing)
    assert first == second
    assert {line.lease for line in first.lines} == {str(lease.id), str(other.id)}
    await agreed(db)


async def test_whole_cents_need_no_rounding(db: Database) -> None:
    await open_cloud(db)
    lease = lease_of("x")
    charge = Charge(meter="cpu-hour", price=EURO, per=3600, price_version=1, rate=1)
    async with db.transaction() as tx:
        await holds.reserve(tx, lease, EURO)
        await holds.start(tx, lease.id, [charge], source="here", at=START)
    await finish(db, lease, START + HOUR)
    await set_clock(db, datetime(2026, 11, 1, tzinfo=START.tzinfo))
    assert (await close(db)).rounding == "0.00"
    assert await db.fetchval("select count(*) from account where code = 'rounding'") == 0
    await agreed(db)


async def test_what_was_not_charged_is_shown(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    await finish(db, await run(db), START + 2 * HOUR)
    draft = await the_invoice(db)
    assert sum(money.parse(line.not_charged) for line in draft.lines) == HOURLY
    assert "0.0136 more were not charged" in page(draft)


async def test_the_golden_invoice(db: Database) -> None:
    """The whole document and page, as kept under golden/."""
    await a_month(db)
    await settled(db, datetime(2026, 11, 1, 0, 1, tzinfo=START.tzinfo))
    made = await close(db)
    made = invoices.decode(changes.canonical(made).decode().replace(made.as_of, made.end))
    document = json.dumps(json.loads(changes.canonical(made)), indent=1) + "\n"
    if os.environ.get("SKERRY_GOLDEN") == "write":
        (GOLDEN / "invoice.json").write_text(document)
        (GOLDEN / "invoice.html").write_text(page(made))
    assert document == (GOLDEN / "invoice.json").read_text()
    assert page(made) == (GOLDEN / "invoice.html").read_text()


def test_the_page_is_well_formed_and_escaped() -> None:
    text = (GOLDEN / "invoice.html").read_text()
    stack: list[str] = []

    class Check(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Check().feed(text)
    assert stack == []
    assert "small &lt;b&gt;" in text
    assert "<script" not in text
    assert "http" not in text


def test_months_have_names() -> None:
    assert invoices.month_named("2026-10") == OCTOBER
    for name in ("2026-13", "2026-1", "1999-01", "../etc", "2026-10-01"):
        with pytest.raises(NotFound):
            invoices.month_named(name)


async def test_live_cost_counts_what_runs(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    other = await run(db, "other", workspace="office")
    await settled(db, START + 30 * MINUTE)
    await see(db, START + 45 * MINUTE)
    await set_clock(db, START + 50 * MINUTE)
    async with db.transaction() as tx:
        job = await cost(tx, "acme", resource=lease.root_uid)
        assert (job.settled, job.running) == (HOURLY // 2, HOURLY // 4)
        assert job.per_hour == HOURLY
        assert job.held == HOURLY // 2
        assert job.full() == {
            "currency": "EUR", "amountNano": job.total, "perHourNano": HOURLY,
            "settledNano": HOURLY // 2, "runningNano": HOURLY // 4, "heldNano": HOURLY // 2,
        }  # fmt: skip
        lab = await cost(tx, "acme", "lab")
        assert lab == job
        assert (await cost(tx, "acme")).total == 2 * job.total
        every = await costs(tx, "acme", [lease.root_uid, uuid.uuid4()])
        assert every == (job.currency, {lease.root_uid: (job.total, job.per_hour)})
        both = [lease.root_uid, lease.resource_uid]
        assert (await costs(tx, "acme", both))[1] == dict.fromkeys(both, (job.total, job.per_hour))
        assert await costs(tx, "rival", [lease.root_uid]) == (job.currency, {})
        await streams.gap(tx, "here", START + 45 * MINUTE, START + 49 * MINUTE)
        assert (await cost(tx, "acme", "lab")).total == job.total
    await finish(db, lease, START + 50 * MINUTE)
    await finish(db, other, START + 50 * MINUTE)
    async with db.transaction() as tx:
        after = await cost(tx, "acme", "lab", lease.resource_uid)
        assert (after.total, after.per_hour, after.held) == (HOURLY * 46 // 60, 0, 0)


async def test_a_receipt_can_prove_every_record_of_a_lease(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    await run(db, "other")
    for minute in range(1, 4):
        await settled(db, START + minute * MINUTE)
    await finish(db, lease, START + 4 * MINUTE)
    async with db.transaction() as tx:
        found = await evidence(tx, lease.id)
        texts = [json.loads(item.text) for batch in found for item in batch.items]
        assert [t["type"] for t in texts].count("usage") == 8
        assert {t.get("code") for t in texts if t["type"] == "transfer"} == {
            "hold", "usage", "release",
        }  # fmt: skip
        for batch in found:
            body = json.loads(
                await tx.fetchval("select body from change where id = $1", batch.change)
            )
            for item in batch.items:
                assert verify_inclusion(
                    leaf_hash(item.text.encode()), item.index, body["size"],
                    [bytes.fromhex(step) for step in item.path], bytes.fromhex(body["root"]),
                )  # fmt: skip
    await db.execute("alter table usage disable trigger usage_immutable")
    await db.execute("update usage set amount = amount + 1")
    async with db.transaction() as tx:
        assert all(
            '"type":"transfer"' in i.text for b in await evidence(tx, lease.id) for i in b.items
        )


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("update usage set amount = amount + 1 where batch = (select max(batch) from usage)",
         ["stream", "usage", "settlement", "spending", "record"]),
        ("update usage set quantity = quantity + 9 where batch = (select max(batch) from usage)",
         ["stream", "record"]),
        ("delete from usage where batch = (select max(batch) from usage)",
         ["stream", "settlement", "spending", "record"]),
        ("update transfer set amount = amount + 1 where code = 'usage'",
         ["account", "settlement", "record"]),
        ("update account set credits_posted = credits_posted + 5 where code = 'held'",
         ["balance", "account", "held"]),
        ("update account set guard = 'debits' where code = 'funds'", ["terms"]),
        ("update hold set amount = amount + 7", ["held"]),
        ("update hold set tenant = 'evil'", ["record", "settlement", "spending"]),
        ("update stream set price = price * 2", ["stream", "usage", "record"]),
        ("update spending set amount = 0", ["spending"]),
        ("delete from batch where id = (select max(id) from batch)", ["orphan"]),
        ("update invoice set total = total + 10000000", ["invoice"]),
        ("""update invoice set document = replace(document, '"total":"0', '"total":"9')""",
         ["invoice"]),
        ("""update invoice set document = replace(document, '"exact":"0', '"exact":"9')""",
         ["invoice"]),
        ("update transfer set amount = amount + 1 where code = 'rounding'", ["invoice", "record"]),
    ],
)  # fmt: skip
async def test_whatever_is_altered_is_named(db: Database, sql: str, named: list[str]) -> None:
    await open_cloud(db)
    lease = await run(db)
    await settled(db, START + 30 * MINUTE)
    await finish(db, lease, START + 55 * MINUTE)
    await set_clock(db, datetime(2026, 11, 1, tzinfo=START.tzinfo))
    await close(db)
    await agreed(db)
    table = sql.split()[1] if sql.startswith("update") else sql.split()[2]
    await db.execute(f"alter table {table} disable trigger user")
    await db.execute(sql)
    async with db.transaction(readonly=True) as tx:
        found = await reconcile(tx, records=True)
    assert set(named) <= {one.what for one in found}, found
    assert all(str(one).startswith(f"{one.what} {one.subject}: ") for one in found)


async def test_an_altered_invoice_breaks_its_witness(db: Database) -> None:
    await open_cloud(db)
    await finish(db, await run(db), START + HOUR)
    await set_clock(db, datetime(2026, 11, 1, tzinfo=START.tzinfo))
    made = await close(db)
    rebuild = changes.WITNESSES[invoices.KIND]
    async with db.transaction() as tx:
        before = await rebuild(tx, f"ledger/invoices/{made.number}")
        await tx.execute("alter table invoice disable trigger user")
        await tx.execute("update invoice set document = replace(document, 'cpu-hour', 'gpu-hour')")
        assert await rebuild(tx, f"ledger/invoices/{made.number}") != before
        assert await rebuild(tx, "ledger/invoices/none") is None


@settings(max_examples=10,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    st.lists(st.tuples(st.integers(0, 30 * 86400), st.integers(0, 10**9)), min_size=1, max_size=6)
)
async def test_any_month_reconciles(db: Database, jobs: list[tuple[int, int]]) -> None:
    tenant = f"t{uuid.uuid4().hex}"
    await open_cloud(db, tenant)
    for n, (begin, micros) in enumerate(jobs):
        start = datetime(2026, 10, 1, tzinfo=START.tzinfo) + timedelta(seconds=begin)
        lease = await run(db, str(n), tenant=tenant, at=start)
        await finish(db, lease, start + timedelta(microseconds=micros * 100))
    await set_clock(db, datetime(2026, 12, 5, tzinfo=START.tzinfo))
    await Settler(db).tick()
    await agreed(db)
