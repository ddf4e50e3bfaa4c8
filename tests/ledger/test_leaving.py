"""A tenant's beginning and end, as its money sees them."""

from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.errors import Conflict
from skerry.kernel.flows import Services
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.views import Asked
from skerry.ledger import issuing, views
from skerry.ledger.reconcile import reconcile
from skerry.store import Database
from tests.ledger.selling import GERMAN, OPERATOR, REGISTRY, act, cloud, issue, november, put, used
from tests.ledger.world import HOUR, START, finish, run, see, verified


async def make(db: Database, resources: Resources, tenant: str) -> None:
    async with db.transaction() as tx:
        await resources.put(tx, REGISTRY["tenant"], Path(name=tenant), {"spec": {}}, OPERATOR)


async def leave(db: Database, resources: Resources, tenant: str = "acme") -> None:
    async with db.transaction() as tx:
        found = await resources.get(tx, resources.ref(REGISTRY["tenant"], Path(name=tenant)))
        await resources.delete(tx, found, OPERATOR)


async def document(db: Database, resources: Resources, number: str) -> bytes:
    """As the operator gets it, whatever became of its tenant."""
    async with db.transaction() as tx:
        seller = await resources.get(tx, resources.ref(REGISTRY["seller"], Path(name="main")))
    return await views.pdf(
        Asked(db, resources, Services(), seller, OPERATOR, query={"number": number})
    )


async def refused(db: Database, resources: Resources, tenant: str = "acme") -> tuple[str, str]:
    with pytest.raises(Conflict) as caught:
        await leave(db, resources, tenant)
    return caught.value.detail, caught.value.hint


async def test_a_tenant_has_its_account_from_the_start(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await make(db, resources, "new")
    async with db.transaction() as tx:
        ref = resources.ref(REGISTRY["billing-account"], Path(tenant="new", name="main"))
        account = await resources.get(tx, ref)
    assert account.spec == {"mode": "postpaid", "creditLimit": "1000.00"}
    await leave(db, resources, "new")
    await make(db, resources, "new")


async def test_what_is_open_keeps_a_tenant(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    lease = await run(db, "one", hold=10**9)
    assert "still set aside" in (await refused(db, resources))[0]
    await see(db, START + 100 * HOUR)
    await finish(db, lease, START + 100 * HOUR)
    assert await refused(db, resources) == (
        "acme used 1.36 EUR in 2026-10, which is not invoiced",
        "Suspend it (skerry tenant update acme --suspended); issue it from 2026-11-01 on, when the "
        "month is over: skerry invoice issue --period 2026-10 --only acme; then delete the tenant.",
    )
    await november(db)
    assert (await refused(db, resources))[1].startswith("Issue it: skerry invoice issue ")
    await issue(db, resources)
    detail, hint = await refused(db, resources)
    assert detail == "1.62 EUR of invoice 2026-000001 are not paid"
    assert "skerry invoice pay 2026-000001 --tenant acme --amount 1.62" in hint
    await act(
        db, resources, "invoice", "2026-000001", "pay", {"amount": "1.62", "reference": "wire"}
    )
    await leave(db, resources)
    async with db.transaction() as tx:
        assert [s.number for s in await issuing.standings(tx, tenant="acme")] == ["2026-000001"]
        assert [str(f) for f in await reconcile(tx, records=True)] == []
    assert (await document(db, resources, "2026-000001")).startswith(b"%PDF")
    with pytest.raises(Conflict, match="a tenant 'acme' was billed here before"):
        await make(db, resources, "acme")
    await verified(db)


async def test_a_commitment_is_owed_by_who_used_nothing(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    least: dict[str, Any] = {"commitment": "5", "startsOn": "2026-10-01", "endsOn": "2026-11-01"}
    await put(db, resources, "agreement", "least", least)
    assert (await refused(db, resources))[0].startswith("acme has a commitment in 2026-10")
    await november(db)
    assert (await issue(db, resources))["net"] == "5.00"
    body = {"reason": "we part as friends"}
    await act(db, resources, "invoice", "2026-000001", "credit", body)
    await leave(db, resources)


async def test_credit_that_is_left_is_told(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await put(db, resources, "credit", "wire", {"amount": "12.50"})
    await leave(db, resources)
    told = await db.fetchval("select message from alert where reason = 'left'")
    assert told == "acme was deleted with 12.50 EUR of its own money."
    with pytest.raises(Conflict, match="was billed here before"):
        await make(db, resources, "acme")


async def test_without_a_seller_nothing_is_invoiced(db: Database, tmp_path: FilePath) -> None:
    resources = await cloud(db, tmp_path, acme=GERMAN)
    await used(db)
    await db.execute("update resource set deleted_at = now() where kind = 'seller'")
    await leave(db, resources)
