"""The ledger: transfers in batches on one hot account, the settlement of 100,000 active leases, and
an invoice over a million usage records that agrees with the books and with its export.

Postgres runs with fsync on. A lease has two meters, so a settlement writes two usage rows for each,
charges them, tops up the holds that run low and seals it all in the log. The peer of settlement, in
the same run, is bare SQL over a copy of the same database: five set-based statements in one
transaction, which record and charge the same usage without any of the ledger's checks.

    python bench/ledger.py [--transfers 50000] [--leases 100000] [--records 1000000]
"""

import argparse
import asyncio
import io
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pyarrow.parquet as pq

import books
from books import EURO, START
from figures import Figures
from skerry.ledger import chart, focus, invoices, money
from skerry.ledger.reconcile import reconcile
from skerry.ledger.settler import Settler
from skerry.ledger.transfers import Transfer
from skerry.ledger.windows import month_of
from skerry.ledger.writer import Writer
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

FIGURES = Figures("ledger")
TENANTS = 50
ROUNDS = 3
MINUTES = 500
"""Of usage in the month that is invoiced."""

BARE = """
insert into usage (stream, starts_at, ends_at, quantity, amount, unbilled, period, batch)
select id, settled_until, $1, rate * 60, div(price::numeric * (quantity + rate * 60), per) - posted,
  0, date_trunc('month', settled_until, 'UTC')::date, $2
from stream where not closed;

update stream set settled_until = $1, billed_us = billed_us + 60000000,
  quantity = quantity + rate * 60, posted = div(price::numeric * (quantity + rate * 60), per)
where not closed;

insert into transfer (id, batch, at, verb, debit, credit, amount, code, subject)
select gen_random_uuid(), $2, $1, 'move', d.id, c.id, sum(u.amount), 'usage', ''
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
  join account d on d.owner = h.tenant and d.code = 'held'
  join account c on c.owner = h.tenant and c.code = 'revenue:run'
where u.batch = $2 group by d.id, c.id;

update account a set debits_posted = debits_posted + t.amount
from transfer t where t.batch = $2 and t.debit = a.id;

update account a set credits_posted = credits_posted + t.amount
from transfer t where t.batch = $2 and t.credit = a.id;
"""


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def transfers(db: Database, count: int) -> None:
    """Payments from one account to a thousand: it is in every one of them."""
    async with db.transaction() as tx:
        await chart.ensure(tx, [("", "cash", "EUR", "")])
        owners = [f"payer-{number}" for number in range(1_000)]
        await chart.ensure(tx, [(owner, "carry", "EUR", "") for owner in owners])
    cash = chart.account_id("", "cash", "EUR")
    others = [chart.account_id(owner, "carry", "EUR") for owner in owners]
    writer = Writer(db)
    rates = []
    async with asyncio.TaskGroup() as group:
        running = group.create_task(writer.run())
        await asyncio.sleep(0)
        for _ in range(5):
            wishes = [
                Transfer(id=uuid.uuid4(), debit=cash, credit=others[n % 1_000], amount=n + 1,
                         code="payment")
                for n in range(count // 5)
            ]  # fmt: skip

            async def submitted(wishes: list[Transfer] = wishes) -> None:
                found = await writer.submit_all([wish] for wish in wishes)
                assert all(result.outcome == "done" for [result] in found)

            rates.append(len(wishes) / await timed(submitted))
        running.cancel()
    rate = statistics.median(rates)
    FIGURES.add("transfers, one hot account", rate, "/s", limit=10_000, least=1)


async def bare(url: str, minute: int) -> float:
    """The settlement of all leases up to a minute, as plain SQL."""
    connection = await asyncpg.connect(url)
    try:
        start = time.perf_counter()
        async with connection.transaction():
            until = START + timedelta(minutes=minute)
            batch = await connection.fetchval("select nextval('batch_id')")
            for statement in BARE.split(";\n\n"):
                named = [n for n in (until, batch) if f"${1 if n is until else 2}" in statement]
                text = statement if "$1" in statement else statement.replace("$2", "$1")
                await connection.execute(text, *named)
        return time.perf_counter() - start
    finally:
        await connection.close()


async def settlement(db: Database, copy: str, leases: int) -> None:
    """The same minutes, settled by either."""
    settler = Settler(db)
    ours, theirs = [], []
    for minute in range(1, ROUNDS + 2):
        until = START + timedelta(minutes=minute)
        await db.execute("update meter_source set seen_until = $1", until)
        await books.clock(db, until + timedelta(seconds=1))
        start = time.perf_counter()
        tick = await settler.tick()
        ours.append(time.perf_counter() - start)
        assert tick.leases == leases
        assert not tick.exhausted
        assert tick.topped_up > 0
        theirs.append(await bare(copy, minute))
    rows = await db.fetchval("select count(*) from usage")
    assert rows == 2 * leases * (ROUNDS + 1)
    # The first of either finds everything cold.
    mine, bare_sql = statistics.median(ours[1:]), statistics.median(theirs[1:])
    FIGURES.add(f"{leases:,} leases settled", mine, "s", limit=5)
    FIGURES.add("the same, beside bare SQL", mine, "s", peer=("bare set-based SQL", bare_sql))


async def invoice(db: Database, records: int) -> None:
    """A month closed, exported and reconciled; what usage, books, invoice and export differ by."""
    start = time.perf_counter()
    async with db.transaction() as tx:
        made = await invoices.close(tx, "acme", month_of(START))
    closed = time.perf_counter() - start
    exported = pq.read_table(io.BytesIO(focus.parquet(made)))
    export = time.perf_counter() - start - closed
    async with db.transaction(readonly=True) as tx:
        findings = await reconcile(tx)
    whole = time.perf_counter() - start
    assert sum(line.usage.records for line in made.lines) == records
    FIGURES.add(f"{records:,} records invoiced, closed", closed, "s", limit=60)
    FIGURES.add("with FOCUS export and reconciliation", whole, "s", limit=60)
    print(f"# closed {closed:.1f} s, exported {export:.1f} s, "
          f"reconciled {whole - closed - export:.1f} s")  # fmt: skip
    usage = await db.fetchval("select sum(amount)::bigint from usage")
    revenue, carry = await _balance(db, "revenue:run"), await _balance(db, "carry")
    total, rounding = money.parse(made.total), money.parse(made.rounding)
    billed = int(sum(exported["BilledCost"].to_pylist(), Decimal(0)) * EURO)
    differences = {
        "usage and ledger": usage - revenue,
        "ledger and invoice": revenue - carry - total,
        "invoice and its rounding": total - rounding - usage,
        "invoice and FOCUS": total - billed,
    }
    for name, nano in differences.items():
        FIGURES.add(f"difference of {name}", abs(nano), "nano", limit=0)
    FIGURES.add("findings of the reconciliation", len(findings), "", limit=0)


async def _balance(db: Database, code: str) -> int:
    found: int = await db.fetchval(
        "select coalesce(sum(credits_posted - debits_posted), 0)::bigint from account"
        " where owner = 'acme' and code = $1",
        code,
    )
    return found


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transfers", type=int, default=50_000)
    parser.add_argument("--leases", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        postgres = EmbeddedPostgres(Path(place) / "pg")
        await postgres.start()
        try:
            await run(postgres, given)
        finally:
            await postgres.stop()
    return FIGURES.end()


async def run(postgres: EmbeddedPostgres, given: argparse.Namespace) -> None:
    admin = await asyncpg.connect(postgres.url_of("postgres"))
    for name in ("transfers", "leases", "invoice"):
        await admin.execute(f"create database {name}")
        await migrate(postgres.url_of(name))
    async with _opened(postgres, "transfers") as db:
        await transfers(db, given.transfers)
    async with _opened(postgres, "leases") as db:
        await books.opened(db)
        for number in range(TENANTS):
            async with db.transaction() as tx:
                await books.tenant(tx, f"tenant-{number}")
                await books.running(tx, f"tenant-{number}", given.leases // TENANTS, 100)
        await db.execute("vacuum analyze")
    await admin.execute("create database copy template leases strategy file_copy")
    async with _opened(postgres, "leases") as db:
        await settlement(db, postgres.url_of("copy"), given.leases)
    for name in ("transfers", "leases", "copy"):
        await admin.execute(f"drop database {name}")
    async with _opened(postgres, "invoice") as db:
        await books.opened(db)
        async with db.transaction() as tx:
            await books.tenant(tx, "acme")
            await books.running(tx, "acme", given.records // (2 * MINUTES), 10)
            await books.used(tx, "acme", MINUTES)
        await db.execute("vacuum analyze")
        await books.clock(db, START + timedelta(days=40))
        await invoice(db, given.records)
    await admin.close()


@asynccontextmanager
async def _opened(postgres: EmbeddedPostgres, name: str) -> AsyncIterator[Database]:
    db = await Database.open(postgres.url_of(name), command_timeout=300)
    try:
        yield db
    finally:
        await db.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
