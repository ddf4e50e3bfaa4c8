"""The price list: one flat file that an operator can read aloud.

``prices.toml`` names a version, a currency, the day from which it holds, and one price per meter,
as decimal strings. A meter that comes in sorts (GPU models) is a table with a ``default``. A place
prices a meter anew, for a region or for a site. What is not in the list has no price, which is
not the same as free: nothing unpriced is ever offered.

A price is looked up once, when a lease is made, and frozen into it; later versions of the list are
for later leases. A tenant's negotiated prices are an ``Overlay`` on the list.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import msgspec

from skerry.ledger import money
from skerry.ledger.meters import meter
from skerry.ledger.toml_lines import line_of


class PriceError(ValueError):
    """What is wrong with a price list, and in which line."""


class Price(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """So many nano for ``per`` base units of a meter. This is what a lease freezes."""

    meter: str
    sku: str
    amount: int
    per: int
    currency: str
    version: int

    def due(self, quantity: int) -> int:
        """What a quantity costs in all since the beginning, in nano; see ``money.due``."""
        return money.due(self.amount, self.per, quantity)


class Tariff(msgspec.Struct, frozen=True):
    """One meter's prices in nano per unit of sale."""

    default: int | None
    skus: Mapping[str, int] = {}

    def of(self, sku: str) -> int | None:
        """The price of the most telling name that fits ``sku``, else the default.

        ``H100`` fits ``NVIDIA H100 80GB HBM3``: all its words stand in it, in this order. A part of
        a device (``A100 1g.10gb``, ``T4 shared``) has only the price of a name that says so.
        """
        fitting = [name for name in self.skus if _fits(name, sku)]
        if fitting:
            return self.skus[max(fitting, key=lambda name: (len(_words(name)), len(name)))]
        return None if _parts(sku) else self.default


class Place(msgspec.Struct, frozen=True):
    """Prices that differ in one region or, more telling, at one site."""

    region: str
    site: str
    prices: Mapping[str, Tariff]


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """A price agreed with one tenant, for a meter (and sort) and a time."""

    tenant: str
    meter: str
    sku: str = ""
    """Empty: every sort of the meter."""
    amount: int
    starts_at: datetime
    ends_at: datetime | None = None

    def holds(self, meter: str, sku: str, at: datetime) -> bool:
        return (
            self.of(meter, sku)
            and self.starts_at <= at
            and (self.ends_at is None or at < self.ends_at)
        )

    def of(self, meter: str, sku: str) -> bool:
        """Whether it is about this meter and sort, whenever."""
        return self.meter == meter and overlay_fits(self.sku, sku)


class PriceList(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    version: int
    currency: str
    effective_at: datetime
    operator: str
    """Who issues the invoices."""
    credit_limit: int | None
    """What a new post-paid tenant may owe, in nano; None: any amount."""
    prices: Mapping[str, Tariff]
    places: tuple[Place, ...] = ()
    preemptible: int = 1000
    """Thousandths of the price that is paid for what may be ended for others at any time."""

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], Mapping[str, Tariff]]:
        return {(place.region, place.site): place.prices for place in self.places}

    def price(
        self,
        name: str,
        sku: str = "",
        *,
        region: str = "",
        site: str = "",
        at: datetime | None = None,
        overlays: Iterable[Overlay] = (),
    ) -> Price | None:
        """The price of a meter; None if it has none here.

        An overlay that holds ``at`` that time comes first, then the site's prices, the region's,
        and the list's own.
        """
        agreed = [o for o in overlays if at is not None and o.holds(name, sku, at)]
        amount = max(agreed, key=lambda o: (len(o.sku), o.starts_at)).amount if agreed else None
        tables = [self._by_place.get(("", site)), self._by_place.get((region, "")), self.prices]
        for table in tables if amount is None else ():
            if table and name in table:
                amount = table[name].of(sku)
            if amount is not None:
                break
        if amount is None:
            return None
        return Price(
            meter=name,
            sku=sku,
            amount=amount,
            per=meter(name).per,
            currency=self.currency,
            version=self.version,
        )


def overlay_fits(agreed: str, sku: str) -> bool:
    """Whether what was agreed for one sort (or, empty, for every one) is about ``sku``."""
    return not agreed or _fits(agreed, sku)


_PART = re.compile(r"[0-9]+[cg]\.[0-9]+gb|[cdqst]px|nps[0-9]|shared")
"""Words by which makers name parts of devices: profiles of slices, and turns."""


def _parts(sku: str) -> set[str]:
    return {word for word in _words(sku) if _PART.fullmatch(word)}


def _fits(name: str, sku: str) -> bool:
    """Whether a price under this name is for ``sku``: its words stand there together, and between
    them perhaps what else a device is called by before its profile."""
    parts, words = _parts(sku), _words(name)
    if parts - set(words):
        return False
    whole = [word for word in _words(sku) if word not in parts]
    return _within([word for word in words if word not in parts], whole) or (
        bool(parts) and set(words) == parts
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9.]+", text.lower())


def _within(part: list[str], whole: list[str]) -> bool:
    return bool(part) and any(
        whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1)
    )


def read(source: str, name: str = "prices.toml") -> PriceList:
    """Read a price list strictly. Raises ``PriceError`` with file and line."""
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"{name}: {error}") from None
    return _Reader(source, name).document(document)


class _Reader:
    def __init__(self, source: str, name: str) -> None:
        self._source = source
        self._name = name

    def _wrong(self, path: tuple[str | int, ...], what: str) -> PriceError:
        dotted = ".".join(str(part) for part in path)
        return PriceError(f"{self._name}:{line_of(self._source, path)}: {dotted}: {what}")

    def document(self, document: dict[str, Any]) -> PriceList:
        known = {
            "version", "currency", "effective", "operator", "credit-limit", "prices", "places",
            "preemptible",
        }  # fmt: skip
        self._only(known, document, ())
        for needed in ("version", "currency", "effective", "prices"):
            if needed not in document:
                raise PriceError(f"{self._name}:1: {needed} is missing")
        version, currency = document["version"], document["currency"]
        if type(version) is not int or not 0 < version < 2**31:
            raise self._wrong(("version",), "must be a whole number from 1")
        if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
            raise self._wrong(("currency",), 'must be three letters such as "EUR"')
        limit = document.get("credit-limit")
        operator = document.get("operator", "The operator")
        if not isinstance(operator, str) or not operator.strip():
            raise self._wrong(("operator",), "must be the name of who issues invoices, in quotes")
        places = document.get("places", [])
        if not isinstance(places, list):
            raise self._wrong(("places",), "must be written [[places]]")
        return PriceList(
            version=version,
            currency=currency,
            effective_at=self._time(("effective",), document["effective"]),
            operator=operator,
            credit_limit=None if limit is None else self._amount(("credit-limit",), limit),
            prices=self._prices(("prices",), document["prices"]),
            places=tuple(self._place(i, place, places) for i, place in enumerate(places)),
            preemptible=self._factor(("preemptible",), document.get("preemptible", "1")),
        )

    def _only(self, known: set[str], table: dict[str, Any], path: tuple[str | int, ...]) -> None:
        for key in table:
            if key not in known:
                expected = ", ".join(sorted(known))
                raise self._wrong((*path, key), f"is unknown; expected one of {expected}")

    def _time(self, path: tuple[str | int, ...], value: Any) -> datetime:
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise self._wrong(path, "needs a time zone, such as 2026-01-01T00:00:00Z")
            return value.astimezone(UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        raise self._wrong(path, "must be a date such as 2026-01-01, without quotes")

    def _amount(self, path: tuple[str | int, ...], value: Any) -> int:
        if not isinstance(value, str):
            raise self._wrong(path, f'must be in quotes: "{value}" (a bare number is a float)')
        try:
            amount = money.parse(value)
        except ValueError as error:
            raise self._wrong(path, str(error)) from None
        if amount < 0:
            raise self._wrong(path, "must not be negative")
        return amount

    def _factor(self, path: tuple[str | int, ...], value: Any) -> int:
        """Thousandths."""
        if not isinstance(value, str) or not re.fullmatch(r"1(\.0{1,3})?|0\.[0-9]{1,3}", value):
            raise self._wrong(path, 'must be a part of the price, in quotes, such as "0.600"')
        return int(money.parse(value) // (money.NANO // 1000))

    def _prices(self, path: tuple[str | int, ...], table: Any) -> dict[str, Tariff]:
        if not isinstance(table, dict):
            raise self._wrong(path, "must be a table of meters")
        found = {}
        for name, value in table.items():
            try:
                meter(name)
            except ValueError as error:
                raise self._wrong((*path, name), str(error)) from None
            found[name] = self._tariff((*path, name), value)
        return found

    def _tariff(self, path: tuple[str | int, ...], value: Any) -> Tariff:
        if not isinstance(value, dict):
            return Tariff(self._amount(path, value))
        skus = {key: self._amount((*path, key), price) for key, price in value.items()}
        for key in skus:
            if not _words(key):
                raise self._wrong((*path, key), "names nothing")
        return Tariff(skus.pop("default", None), skus)

    def _place(self, index: int, place: Any, all: list[Any]) -> Place:
        path = ("places", index)
        if not isinstance(place, dict):
            raise self._wrong(path, "must be written [[places]]")
        self._only({"region", "site", "prices"}, place, path)
        region, site = place.get("region", ""), place.get("site", "")
        if not (isinstance(region, str) and isinstance(site, str)) or bool(region) == bool(site):
            raise self._wrong(path, "needs a region or a site, and not both")
        same = [
            p
            for p in all
            if isinstance(p, dict) and (p.get("region", ""), p.get("site", "")) == (region, site)
        ]
        if len(same) > 1:
            raise self._wrong(path, f"{region or site} is priced twice")
        prices = self._prices((*path, "prices"), place.get("prices", {}))
        return Place(region, site, prices)
