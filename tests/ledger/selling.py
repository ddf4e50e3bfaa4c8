"""A cloud that sells: a seller, customers in several countries, a month that was used."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any

from skerry.identity.kinds import KINDS as IDENTITY
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.ledger.kinds import KINDS
from skerry.ledger.settler import Settler
from skerry.store import Database
from tests.ledger.world import EURO, HOUR, START, finish, prices, run, see, set_clock

REGISTRY = Registry((*IDENTITY, *KINDS))
OPERATOR = Caller("root@operator", "operator", True)
NOVEMBER = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)

SELLER = {
    "legalName": "Beispiel Cloud GmbH & Co. KG",
    "street": "Hafenstraße 1",
    "postalCode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "vatNumber": "DE136695976",
    "registration": "HRB 12345, Amtsgericht Hamburg",
    "iban": "DE89 3704 0044 0532 0130 00",
    "bic": "COBADEFFXXX",
    "bank": "Commerzbank",
    "email": "rechnung@example.org",
    "phone": "+49 40 123456",
    "footer": "Managing directors: Änne Öst, Søren Ærø",
}
GERMAN = {
    "legalName": "Größe & Söhne OHG",
    "street": "Königstraße 7",
    "postalCode": "70173",
    "city": "Stuttgart",
    "country": "DE",
    "email": "buchhaltung@example.org",
}
POLISH = {
    "legalName": "Żółw i Łódź Sp. z o.o.",
    "street": "ul. Świętokrzyska 3",
    "postalCode": "00-001",
    "city": "Warszawa",
    "country": "PL",
    "vatNumber": "PL8567346215",
    "email": "faktury@example.org",
    "buyerReference": "PO-4711",
    "paymentDays": 30,
}
SWISS = {"legalName": "Käse AG", "street": "Gasse 1", "city": "Zürich", "country": "CH"}


async def cloud(db: Database, folder: FilePath, **customers: Mapping[str, Any]) -> Resources:
    """A cloud in October with a seller, and a tenant for each customer."""
    await set_clock(db, START)
    found = Resources(REGISTRY, Sealer(folder / "key"), "eu")
    async with db.transaction() as tx:
        await prices(tx)
        for tenant in ("operator", *customers):
            await found.put(tx, REGISTRY["tenant"], Path(name=tenant), {"spec": {}}, SYSTEM)
        await found.put(tx, REGISTRY["seller"], Path(name="main"), {"spec": SELLER}, OPERATOR)
    for tenant, customer in customers.items():
        await put(db, found, "billing-account", "main",
                  {"mode": "postpaid", "customer": dict(customer)}, tenant)  # fmt: skip
    return found


async def put(
    db: Database, resources: Resources, noun: str, name: str, spec: Any, tenant: str = "acme"
) -> Resource:
    async with db.transaction() as tx:
        kind = REGISTRY[noun]
        path = Path(tenant="" if kind.scope == "global" else tenant, name=name)
        done = await resources.put(tx, kind, path, {"spec": spec}, OPERATOR)
        return done.resource


async def act(
    db: Database,
    resources: Resources,
    noun: str,
    name: str,
    action: str,
    body: Mapping[str, Any],
    tenant: str = "acme",
) -> Mapping[str, Any]:
    async with db.transaction() as tx:
        kind = REGISTRY[noun]
        found = await resources.get(tx, resources.ref(kind, Path(tenant=tenant, name=name)))
        return dict(await resources.act(tx, found, action, body, OPERATOR))


async def issue(
    db: Database, resources: Resources, tenant: str = "acme", period: str = "2026-10", **body: Any
) -> Mapping[str, Any]:
    wanted = {"period": period} | body
    return await act(db, resources, "billing-account", "main", "issue", wanted, tenant)


async def used(db: Database, tenant: str = "acme", hours: int = 100, name: str = "one") -> None:
    """Usage of so many core-hours and GiB-hours from START on, 0.0136 EUR each hour."""
    lease = await run(db, name, tenant=tenant, hold=10 * EURO)
    await see(db, START + hours * HOUR)
    await finish(db, lease, START + hours * HOUR)


async def november(db: Database) -> None:
    await set_clock(db, NOVEMBER)
    await Settler(db).tick()


CUSTOMERS = (GERMAN, POLISH, {k: v for k, v in POLISH.items() if k != "vatNumber"}, SWISS)


def customers(count: int) -> dict[str, Mapping[str, Any]]:
    """So many tenants: German ones, reverse charge, one-stop shop, and beyond the Union."""
    return {f"t{n:03d}": CUSTOMERS[n % len(CUSTOMERS)] for n in range(count)}


async def a_month(db: Database, resources: Resources, tenants: Sequence[str]) -> None:
    """October, used by all: with agreements, payments, gifts and several leases."""
    for n, tenant in enumerate(tenants):
        if n % 3 == 0:
            free = {"meter": "cpu-hour", "free": str(10 + n), "startsOn": "2026-01-01"}
            await put(db, resources, "agreement", "free", free, tenant)
        if n % 5 == 1:
            least = {"commitment": f"{n}.50", "startsOn": "2026-10-01"}
            await put(db, resources, "agreement", "least", least, tenant)
        if n % 4 == 2:
            await put(db, resources, "credit", "wire", {"amount": f"{n % 7}.11"}, tenant)
        if n % 7 == 3:
            gift = {"amount": "0.333333333", "source": "promo"}
            await put(db, resources, "credit", "gift", gift, tenant)
        for lease in range(1 + n % 3):
            await used(db, tenant, hours=20 + 7 * n % 300, name=f"lease-{lease}")
