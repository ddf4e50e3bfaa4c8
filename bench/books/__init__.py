"""Ledgers of any size, made by set-based SQL, as the product would have left them.

``running``: leases that are metered and funded. ``used``: a month of usage, settled, charged and
sealed, whose every figure follows from quantities and prices, so that reconciliation finds nothing.
"""

from datetime import UTC, datetime

from skerry.kernel import changes
from skerry.ledger import chart, price_lists
from skerry.ledger.chart import Terms
from skerry.ledger.windows import month_of
from skerry.store import Database, Tx

START = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
EURO = 10**9
CPU, MEMORY = 12_000_000, 1_600_000
"""Nano for a core-hour and a GiB-hour; a lease has one of each."""
HOURLY = CPU + MEMORY

LEASES = f"""
insert into transfer (id, batch, at, verb, debit, credit, amount, code, subject)
select id, $5, $4, 'move', $1, $2, amount, 'hold', id::text from bench_lease;

insert into hold (lease, tenant, workspace, product, resource, resource_uid, root_uid, currency,
  pending, state, amount, ceiling, horizon)
select id, $3, 'lab', 'run', 'skerry.run/v1/tenants/' || $3 || '/workspaces/lab/jobs/j' || number,
  id, id, 'EUR', id, 'open', amount, null, 3600
from bench_lease;

insert into meter_source (name, seen_until)
select distinct site, $4::timestamptz from bench_lease on conflict do nothing;

insert into stream (id, lease, meter, sku, source, region, price, per, price_version, rate,
  started_at, settled_until)
select gen_random_uuid(), id, meter, '', site, 'eu', price, per, 1, rate, $4, $4
from bench_lease, (values ('cpu-hour', {CPU}::bigint, 3600000::bigint, 1000::bigint),
  ('memory-gib-hour', {MEMORY}, 3686400, 1024)) as m (meter, price, per, rate);

update account set debits_posted = debits_posted + (select sum(amount) from bench_lease)
where id = $1;
update account set credits_posted = credits_posted + (select sum(amount) from bench_lease)
where id = $2;
"""

USAGE = """
insert into usage (stream, starts_at, ends_at, quantity, amount, unbilled, period, batch)
select s.id, $1::timestamptz + n * interval '1 minute',
  $1::timestamptz + (n + 1) * interval '1 minute', s.rate * 60,
  div(s.price::numeric * s.rate * 60 * (n + 1), s.per) - div(s.price::numeric * s.rate * 60 * n,
    s.per), 0, date_trunc('month', $1::timestamptz, 'UTC')::date, $4 + n
from stream s, generate_series(0, $2::int - 1) n;

update stream s set settled_until = $1::timestamptz + $2::int * interval '1 minute',
  billed_us = 60000000 * $2::bigint, quantity = s.rate * 60 * $2,
  posted = div(s.price::numeric * s.rate * 60 * $2, s.per);

insert into transfer (id, batch, at, verb, debit, credit, amount, code, subject)
select gen_random_uuid(), u.batch, max(u.ends_at), 'move', $5, $6, sum(u.amount), 'usage', ''
from usage u group by u.batch;

insert into batch (id, at, size, root, hashes, change_id)
select u.batch, max(u.ends_at), count(*) + 1, '', '', $3 from usage u group by u.batch;

insert into spending (tenant, workspace, currency, period, amount)
select h.tenant, h.workspace, 'EUR', u.period, sum(u.amount)
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
group by h.tenant, h.workspace, u.period;

update account set debits_posted = debits_posted + (select sum(amount) from usage) where id = $5;
update account set credits_posted = credits_posted + (select sum(amount) from usage) where id = $6;
"""


async def opened(db: Database) -> None:
    """The shipped prices, and the clock at ``START``."""
    await clock(db, START)
    async with db.transaction() as tx:
        await price_lists.load(tx, price_lists.shipped())


async def clock(db: Database, to: datetime) -> None:
    await db.execute("update clock set shift = $1 - clock_timestamp()", to)


async def tenant(tx: Tx, name: str) -> None:
    """One that may owe any amount, with the accounts that leases of it are charged on."""
    await chart.set_terms(tx, name, Terms("postpaid", None, "EUR"))
    accounts = [(name, "held", "EUR", "lab"), (name, "revenue:run", "EUR", "")]
    await chart.ensure(tx, accounts)


async def running(tx: Tx, name: str, leases: int, sites: int) -> None:
    """So many leases of a tenant that run since ``START`` in as many sites. Their holds have run
    down to where they are evenly spread between half an hour's money and a whole hour's."""
    batch = await _batch(tx)
    await tx.execute("drop table if exists bench_lease")
    await tx.execute(
        "create temporary table bench_lease as select gen_random_uuid() as id, n as number,"
        " 'hall-' || n % $2::int as site, $3 + $4 * (n % 30) as amount"
        " from generate_series(1, $1::int) n",
        leases, sites, HOURLY // 2 + HOURLY // 120, HOURLY // 60,
    )  # fmt: skip
    funds, held = chart.funds(name, "EUR"), chart.held(name, "lab", "EUR")
    await _all(tx, LEASES, funds, held, name, START, batch)


async def used(tx: Tx, name: str, minutes: int) -> None:
    """What all leases there are used in so many minutes since ``START``: one batch a minute."""
    first = await _batch(tx)
    await tx.execute("select setval('batch_id', $1)", first + minutes)
    change = await tx.fetchval("select change_id from batch where id = $1", first)
    held, revenue = chart.held(name, "lab", "EUR"), chart.revenue(name, "run", "EUR")
    await _all(tx, USAGE, START, minutes, change, first + 1, held, revenue)
    assert month_of(START).day == 1


async def _batch(tx: Tx) -> int:
    """An empty batch, for what the bench writes by itself."""
    change = await changes.record(
        tx, kind="bench", subject="bench", verb="made", tenant="", actor="system", body={}
    )
    number: int = await tx.fetchval(
        "insert into batch select nextval('batch_id'), $1, 0, '', '', $2 returning id",
        START, change,
    )  # fmt: skip
    return number


async def _all(tx: Tx, script: str, *args: object) -> None:
    """Run each statement of a script with those of the arguments that it names."""
    for statement in script.split(";\n"):
        if not statement.strip():
            continue
        named = [n for n in range(1, len(args) + 1) if f"${n}" in statement]
        for place, number in enumerate(named, 1):
            statement = statement.replace(f"${number}", f"${place}")
        await tx.execute(statement, *[args[n - 1] for n in named])
