"""What an ask costs at an offer, in whole nano per hour, rounded up.

The sum shown and compared here is what the ask costs while all of its tasks run. The bill itself
follows from the unit prices of its lines, which a lease freezes and hands to the ledger
(``charges``).
"""

from typing import Annotated, TypeVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from skerry.ledger.streams import Charge
from skerry.market.ask import MIB, Fact

CORE, MEMORY, GPU, INSTANCE = "cpu-hour", "memory-gib-hour", "gpu-hour", "instance-hour"
STORAGE = "storage-gib-month"
"""The ledger's meters (``ledger.meters``)."""

MONTH = 30 * 24
"""Hours."""


class Line(Fact, frozen=True, kw_only=True):
    """One part of a price."""

    meter: str
    sku: str = ""
    """Which sort of it: a GPU model, an instance type."""
    quantity: int
    """For all tasks, in what the meter counts each second: thousandths of a thing, or MiB."""
    per: int
    """How much of ``quantity`` the unit price buys for an hour: 1000, 1024, or of what is sold by
    the month as much more as it has hours."""
    unit_price: Annotated[int, Meta(ge=0)]
    amount: Annotated[int, Meta(ge=0)]


class Breakdown(Fact, frozen=True, kw_only=True):
    """A price per hour, and what it consists of."""

    currency: str
    per_hour: int
    lines: tuple[Line, ...]


def mebibytes(amount: int) -> int:
    """Whole MiB that hold ``amount`` bytes."""
    return -(-amount // MIB)


N = TypeVar("N", int, NDArray[np.int64])


def part(quantity: int, per: int, unit_price: N) -> N:
    """The price of ``quantity``, rounded up; of a column of unit prices, a column."""
    return -(-quantity * unit_price // per)


def breakdown(currency: str, tasks: int, parts: list[tuple[str, str, int, int, int]]) -> Breakdown:
    """Add up parts (meter, sku, quantity per task, per, unit price), less those of nothing."""
    lines = tuple(
        Line(
            meter=meter,
            sku=sku,
            quantity=quantity * tasks,
            per=per,
            unit_price=unit,
            amount=part(quantity, per, unit) * tasks,
        )
        for meter, sku, quantity, per, unit in parts
        if quantity
    )
    return Breakdown(currency=currency, per_hour=sum(x.amount for x in lines), lines=lines)


def charges(price: Breakdown, price_version: int) -> tuple[Charge, ...]:
    """What the ledger meters of a lease at this price while it runs."""
    return tuple(
        Charge(
            meter=line.meter,
            sku=line.sku,
            price=line.unit_price,
            per=line.per * 3600,
            price_version=price_version,
            rate=line.quantity,
        )
        for line in price.lines
    )
