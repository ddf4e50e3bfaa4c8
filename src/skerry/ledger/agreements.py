"""Agreements: what one tenant pays differently from the price list, and from when to when.

An agreement is a resource that the operator writes. It may say a *price* for a meter (and a sort of
it), which the tenant's quotes show and its leases freeze; how much of a meter is *free* each month,
which its invoice takes off; and a *commitment*, the least that a month's invoice comes to. The last
two are about whole months, so their dates are firsts of months.
"""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from skerry.kernel.errors import ValidationError
from skerry.kernel.kinds import Spec, Status
from skerry.ledger import money
from skerry.ledger.meters import meter, unit_of
from skerry.ledger.prices import Overlay
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "agreements.sql")
_MOST, _MOST_GPU = 274 * money.NANO, 1_000_000 * money.NANO
"""The highest prices that the market computes with."""
_DAY = Meta(pattern=r"^(20[0-9]{2}-[0-9]{2}-[0-9]{2})?$")
_AMOUNT = Meta(pattern=r"^([0-9]{1,9}(\.[0-9]{1,9})?)?$")


class AgreementSpec(Spec, kw_only=True):
    meter: Annotated[str, Meta(max_length=64, description="What it is about: cpu-hour")] = ""
    sku: Annotated[
        str, Meta(max_length=64, description="Only this sort, such as H100; empty: every one")
    ] = ""
    price: Annotated[
        str, _AMOUNT, Meta(description="Of one unit of the meter, instead of the list's")
    ] = ""
    free: Annotated[
        str, _AMOUNT, Meta(description="So many units of the meter are free each month")
    ] = ""
    commitment: Annotated[
        str, _AMOUNT, Meta(description="The least that a month's invoice comes to, before tax")
    ] = ""
    starts_on: Annotated[str, _DAY, Meta(min_length=1, description="The first day it holds")]
    ends_on: Annotated[
        str, _DAY, Meta(description="The first day it holds no more; empty: it goes on")
    ] = ""
    note: Annotated[str, Meta(max_length=500, description="Such as a contract's number")] = ""


class AgreementStatus(Status, kw_only=True):
    phase: Annotated[str, Meta(description="future, current or past")] = ""
    words: Annotated[str, Meta(description="What is agreed, in words")] = ""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as it counts in one month. Amounts are nano; ``free`` is in 10^-9 units."""

    name: str
    meter: str
    sku: str
    price: int | None
    free: int
    commitment: int
    starts_at: datetime
    ends_at: datetime | None

    def covers(self, name: str, sku: str) -> bool:
        return bool(self.meter) and self.overlay.of(name, sku)

    @property
    def overlay(self) -> Overlay:
        return Overlay(
            tenant="",
            meter=self.meter,
            sku=self.sku,
            amount=self.price or 0,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


def check(spec: AgreementSpec) -> None:
    """Raise ``ValidationError`` for an agreement that says nothing, or what can't be."""
    if not (spec.price or spec.free or spec.commitment):
        raise ValidationError.at(
            "/spec", "it agrees on nothing", "Say a price, an amount that is free, or both."
        )
    if (spec.price or spec.free) and not spec.meter:
        raise ValidationError.at("/spec/meter", "a price is of a meter", "Such as cpu-hour.")
    most = _MOST_GPU if spec.meter == "gpu-hour" else _MOST
    if spec.price and money.parse(spec.price) > most:
        raise ValidationError.at(
            "/spec/price", f"{money.text(most)} is the highest price of a {spec.meter}"
        )
    if spec.meter:
        try:
            meter(spec.meter)
        except ValueError as error:
            raise ValidationError.at("/spec/meter", str(error)) from None
    starts, ends = _day(spec.starts_on, "startsOn"), _day(spec.ends_on, "endsOn")
    if starts is not None and ends is not None and ends <= starts:
        raise ValidationError.at("/spec/endsOn", "it ends before it starts")
    for field, day in (("startsOn", starts), ("endsOn", ends)):
        if (spec.free or spec.commitment) and day is not None and day.day != 1:
            raise ValidationError.at(
                f"/spec/{field}",
                f"{day} is not the first of a month",
                "What is free and what is committed is agreed by whole months.",
            )


def in_words(spec: AgreementSpec, currency: str) -> str:
    what = f"{spec.meter} {spec.sku}".strip()
    parts = []
    if spec.price:
        parts.append(f"{what} at {spec.price} {currency} a {unit_of(spec.meter)}")
    if spec.free:
        parts.append(f"{spec.free} {unit_of(spec.meter)} of {what} free a month")
    if spec.commitment:
        parts.append(f"at least {spec.commitment} {currency} a month")
    return "; ".join(parts)


def phase(spec: AgreementSpec, now: datetime) -> str:
    starts, ends = _day(spec.starts_on, "startsOn"), _day(spec.ends_on, "endsOn")
    if starts is not None and now < _midnight(starts):
        return "future"
    return "past" if ends is not None and now >= _midnight(ends) else "current"


async def of_tenant(tx: Tx, tenant: str, at: datetime) -> list[Agreement]:
    """Those that hold at a time, in the order of their names."""
    found = [_agreement(row["name"], row["spec"]) for row in await tx.fetch(_sql.all, tenant)]
    return [a for a in found if a.starts_at <= at and (a.ends_at is None or at < a.ends_at)]


async def words_of(tx: Tx, tenant: str, currency: str) -> list[str]:
    """What holds now, in words: for a quote."""
    now = await tx.now()
    specs = [
        msgspec.convert(row["spec"], AgreementSpec) for row in await tx.fetch(_sql.all, tenant)
    ]
    return [in_words(spec, currency) for spec in specs if phase(spec, now) == "current"]


async def prices(tx: Tx, tenant: str) -> list[Overlay]:
    """The prices agreed with a tenant that hold now."""
    now = await tx.now()
    found = await of_tenant(tx, tenant, now)
    return [a.overlay for a in found if a.price is not None]


def _agreement(name: str, spec: dict[str, Any]) -> Agreement:
    ends = spec.get("endsOn", "")
    return Agreement(
        name=name,
        meter=spec.get("meter", ""),
        sku=spec.get("sku", ""),
        price=money.parse(spec["price"]) if spec.get("price") else None,
        free=money.parse(spec["free"]) if spec.get("free") else 0,
        commitment=money.parse(spec["commitment"]) if spec.get("commitment") else 0,
        starts_at=_midnight(date.fromisoformat(spec["startsOn"])),
        ends_at=_midnight(date.fromisoformat(ends)) if ends else None,
    )


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValidationError.at(
            f"/spec/{field}", f"{text!r} is no day", "Write it like 2026-12-01."
        ) from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
