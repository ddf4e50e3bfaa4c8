"""A cloud that sells: a seller, customers in several countries, a month that was used."""

from collections.abc import Mapping
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
