"""Invoices: what a tenant owes for a month, line by line.

A line is one meter of one lease. It names its lease and resource, the usage it sums up (how many
records, and the Merkle root over them), the quantity, the price and the amount. What is sold under
the same name at the same price is rounded once, half to even, to whole cents: each line is what its
amount adds to that sum, so a thousand lines of a third of a cent are not free. The total is the sum
of its lines, so a page never adds up wrongly. What rounding added or took goes to the rounding
account when the invoice is closed.

The running month is a draft, computed when asked. A past month is closed some time after its end:
from then on its document never changes, and usage that arrives later stands on the open month's
invoice as an adjustment.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, NotFound
from skerry.ledger import chart, holds, money, price_lists
from skerry.ledger.ids import named
from skerry.ledger.journal import Draft
from skerry.ledger.meters import unit_of
from skerry.ledger.records import iso
from skerry.ledger.transfers import Transfer
from skerry.ledger.windows import month_of, month_start, next_month
from skerry.proof.tree import cut, root
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "invoices.sql")
_settle = load("skerry.ledger", "settle.sql")

KIND = "ledger.invoice"
CLOSE_AFTER = timedelta(hours=24)
"""How long after its end a month is closed: time for sites that were out of sight to report."""


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Usage(_Document, frozen=True, kw_only=True):
    """The records behind a line. Their root is computed when the invoice is closed."""

    records: int
    root: str = ""


class Line(_Document, frozen=True, kw_only=True):
    """Amounts and quantities are decimal strings; quantities are in units of sale."""

    lease: str
    workspace: str
    product: str
    resource: str
    resource_id: str
    meter: str
    sku: str
    site: str
    region: str
    start: str
    end: str
    quantity: str
    unit: str
    unit_price: str
    price_version: int
    exact: str
    """Before rounding."""
    amount: str
    """In whole cents: this is owed."""
    not_charged: str = "0.00"
    """Due but free, since the tenant's money had ended."""
    adjusts: str = ""
    """The month it belongs to, if that month's invoice was closed already."""
    usage: Usage
    devices: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Of GPUs: the UUIDs of those that were used; of nothing else there is such a field."""

    @property
    def group(self) -> tuple[str, ...]:
        """What it is rounded with, and one line of an issued invoice."""
        return (
            self.workspace, self.product, self.meter, self.sku, self.unit_price, self.adjusts,
        )  # fmt: skip


class Invoice(_Document, frozen=True, kw_only=True):
    number: str
    state: str
    """``draft`` or ``closed``."""
    issuer: str
    tenant: str
    period: str
    start: str
    end: str
    currency: str
    as_of: str
    """When it was computed; a closed one: when it was closed."""
    lines: tuple[Line, ...]
    exact: str
    rounding: str
    total: str
    rounded_by: str = "line"
    """``line``: each by itself, as it was before 2026-12; ``group``."""


def month_named(name: str) -> date:
    """``2026-10`` as the month's first day. Raises ``NotFound`` for anything else."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", name):
        raise NotFound(f"{name[:20]!r} is no month", hint="Months are named like 2026-10.")
    return date.fromisoformat(f"{name}-01")


async def invoice(tx: Tx, tenant: str, month: date) -> Invoice:
    """The tenant's invoice for a month: the closed one, or a draft of what there is so far."""
    return (await of_months(tx, tenant, [month]))[month]


async def of_months(tx: Tx, tenant: str, months: Sequence[date]) -> dict[date, Invoice]:
    """The same of several months."""
    rows = await tx.fetch(_sql.closed, tenant, list(months))
    found = {row["period"]: decode(row["document"]) for row in rows}
    drafts = [month for month in months if month not in found]
    return found | await _computed(tx, tenant, drafts, closing=False)


async def months(tx: Tx, tenant: str) -> list[date]:
    """Months that have an invoice or a draft, newest first."""
    return [row["period"] for row in await tx.fetch(_sql.months, tenant)]


async def close(
    tx: Tx, tenant: str, month: date, *, actor: str = "system", even_empty: bool = False
) -> Invoice:
    """Close a past month's invoice for ever; the same again answers with the closed one.

    Raises ``Conflict`` while the month runs or some of its usage, though seen, is not settled, and
    ``NotFound`` if there is none, unless it is to be closed ``even_empty``.
    """
    row = await tx.fetchrow(_sql.find, tenant, month)
    if row is not None:
        return decode(row["document"])
    end = month_start(next_month(month))
    now = await tx.now()
    if now < end:
        raise Conflict(f"{month:%Y-%m} is not over", hint="Its draft shows what is owed so far.")
    # The roots over all its usage take seconds for a large tenant: they are computed before
    # settlements have to wait, and again only if one came in between.
    made = await _compute(tx, tenant, month, closing=True)
    await tx.execute(_settle.own_months)
    if await tx.fetchval(_sql.unsettled, tenant, end):
        raise Conflict(f"some usage of {month:%Y-%m} is not settled yet", hint="Try in a minute.")
    if _figures(await _compute(tx, tenant, month, closing=False)) != _figures(made):
        made = await _compute(tx, tenant, month, closing=True)
    row = await tx.fetchrow(_sql.find, tenant, month)
    if row is not None:
        return decode(row["document"])
    if not made.lines and not even_empty:
        raise NotFound(f"{tenant} used nothing in {month:%Y-%m}")
    document = changes.canonical(made).decode()
    await _round(tx, made, actor)
    await tx.execute(
        _sql.add, tenant, month, made.number, made.currency, money.parse(made.total),
        money.parse(made.exact), document, now,
    )  # fmt: skip
    await changes.record(
        tx,
        kind=KIND,
        subject=f"ledger/invoices/{made.number}",
        verb="close",
        tenant=tenant,
        actor=actor,
        body=_body(document),
    )
    return made


def _figures(made: Invoice) -> list[tuple[str, str, int]]:
    return [(line.lease, line.exact, line.usage.records) for line in made.lines]


async def to_close(tx: Tx) -> list[tuple[str, date]]:
    """Tenants and months whose invoices are due to be closed."""
    before = month_of(await tx.now() - CLOSE_AFTER)
    return [(row["tenant"], row["period"]) for row in await tx.fetch(_sql.to_close, before)]


async def computed(tx: Tx, kept: Invoice) -> Invoice:
    """A closed invoice as its usage would make it now: for the audit."""
    month = month_named(kept.period)
    return await _compute(tx, kept.tenant, month, closing=True, rounded_by=kept.rounded_by)


def decode(document: str) -> Invoice:
    return msgspec.json.decode(document, type=Invoice)


async def _compute(
    tx: Tx, tenant: str, month: date, *, closing: bool, rounded_by: str = "group"
) -> Invoice:
    found = await _computed(tx, tenant, [month], closing=closing, rounded_by=rounded_by)
    return found[month]


async def _computed(
    tx: Tx, tenant: str, months: Sequence[date], *, closing: bool, rounded_by: str = "group"
) -> dict[date, Invoice]:
    if not months:
        return {}
    terms = await holds.terms(tx, tenant)
    issuer = (await price_lists.at(tx)).operator
    used: dict[date, list[Row]] = {month: [] for month in months}
    for row in await tx.fetch(_sql.lines, tenant, list(months), closing):
        used[row["period"]].append(row)
    head = Invoice(
        number="", state="closed" if closing else "draft", issuer=issuer, tenant=tenant, period="",
        start="", end="", currency=terms.currency, as_of=iso(await tx.now()), lines=(), exact="",
        rounding="", total="", rounded_by=rounded_by,
    )  # fmt: skip
    return {month: _invoice(head, month, rows, terms) for month, rows in used.items()}


def _invoice(head: Invoice, month: date, rows: Sequence[Row], terms: chart.Terms) -> Invoice:
    of_each = [_line(row, month, terms.currency) for row in rows]
    lines = _rounded(of_each, terms, head.rounded_by)
    exact = sum(row["exact"] for row in rows)
    total = sum(money.parse(line.amount) for line in lines)
    return msgspec.structs.replace(
        head,
        number=f"{head.tenant}-{month:%Y-%m}",
        period=f"{month:%Y-%m}",
        start=iso(month_start(month)),
        end=iso(month_start(next_month(month))),
        lines=lines,
        exact=money.text(exact),
        rounding=money.text(total - exact),
        total=money.coins(total, terms.currency),
    )


def _rounded(lines: list[Line], terms: chart.Terms, by: str) -> tuple[Line, ...]:
    if by != "group":
        return tuple(lines)
    sums: dict[tuple[str, ...], int] = {}
    done = []
    for line in lines:
        before = sums.get(line.group, 0)
        sums[line.group] = after = before + money.parse(line.exact)
        part = money.rounded(after, terms.currency) - money.rounded(before, terms.currency)
        done.append(msgspec.structs.replace(line, amount=money.coins(part, terms.currency)))
    return tuple(done)


def _line(row: Row, month: date, currency: str) -> Line:
    own: datetime = row["month"]
    return Line(
        lease=str(row["lease"]),
        workspace=row["workspace"],
        product=row["product"],
        resource=row["resource"],
        resource_id=str(row["root_uid"]),
        meter=row["meter"],
        sku=row["sku"],
        site=row["site"],
        region=row["region"],
        start=iso(row["starts_at"]),
        end=iso(row["ends_at"]),
        quantity=decimal(row["quantity"], row["per"]),
        unit=unit_of(row["meter"]),
        unit_price=money.text(row["price"]),
        price_version=row["price_version"],
        exact=money.text(row["exact"]),
        amount=money.coins(money.rounded(row["exact"], currency), currency),
        not_charged=money.text(row["unbilled"]),
        adjusts=f"{own:%Y-%m}" if month_of(own) != month else "",
        usage=Usage(records=row["records"], root=_root(row["hashes"])),
        devices=tuple(sorted(set(row["devices"].split()))) or msgspec.UNSET,
    )


def _root(hashes: bytes | None) -> str:
    """Over the hashes of records, 32 bytes each; none where they were not asked for."""
    return root(cut(hashes)).hex() if hashes else ""


def decimal(quantity: int, per: int) -> str:
    """A quantity in units of sale, with at most nine decimals, rounded half to even."""
    return money.text(money.half_even(quantity * money.NANO, per), least=0)


async def _round(tx: Tx, made: Invoice, actor: str) -> None:
    """Move what rounding added to the tenant's ``carry``, so that its accounts say the total."""
    difference = money.parse(made.rounding)
    if not difference:
        return
    await chart.ensure(
        tx,
        [
            (made.tenant, "carry", made.currency, ""),
            (chart.OPERATOR, "rounding", made.currency, ""),
        ],
    )
    carry = chart.account_id(made.tenant, "carry", made.currency)
    rounding = chart.account_id(chart.OPERATOR, "rounding", made.currency)
    draft = await Draft.open(tx)
    await draft.post(
        [
            Transfer(
                id=named("rounding", made.number),
                debit=carry if difference > 0 else rounding,
                credit=rounding if difference > 0 else carry,
                amount=abs(difference),
                code="rounding",
                subject=made.number,
            )
        ]
    )
    await draft.seal(actor=actor)


def _body(document: str) -> dict[str, Any]:
    made = decode(document)
    return {
        "number": made.number,
        "currency": made.currency,
        "total": made.total,
        "sha256": hashlib.sha256(document.encode()).hexdigest(),
    }


@changes.witness(KIND)
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    document = await tx.fetchval(_sql.document, subject.removeprefix("ledger/invoices/"))
    return _body(document) if document is not None else None
