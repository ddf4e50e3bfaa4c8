"""A month's end for everybody: closed in one command, valid, without gaps, and to the billionth."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path as FilePath

import pytest

from skerry.cli.main import invoke
from skerry.ledger import einvoice, issued, issuing
from skerry.ledger.reconcile import reconcile
from skerry.ledger.settler import Settler
from skerry.store import Database
from skerry.store.postgres import EmbeddedPostgres
from tests.harness.served import Served, elsewhere, served
from tests.ledger.en16931 import broken_rules
from tests.ledger.selling import NOVEMBER, a_month, act, cloud, customers, issue, november
from tests.ledger.world import EURO, HOUR, START, finish, run, see, set_clock

TENANTS = 200


async def checked(db: Database, expected: int) -> dict[str, issued.Issued]:
    """Every document is valid, no number is missing, nothing differs by a billionth."""
    async with db.transaction(readonly=True) as tx:
        found = [issued.decode(s.document) for s in await issuing.standings(tx)]
        assert [str(f) for f in await reconcile(tx)] == []
    for document in found:
        assert broken_rules(einvoice.xml(document)) == [], document.number
    invoices = [d.number for d in found if d.type == "invoice"]
    assert invoices == [f"2026-{n:06d}" for n in range(1, expected + 1)]
    return {d.number: d for d in found}


async def test_a_month_of_everything_adds_up(db: Database, tmp_path: FilePath) -> None:
    tenants = customers(8)
    resources = await cloud(db, tmp_path, **tenants)
    await a_month(db, resources, list(tenants))
    await november(db)
    for tenant in tenants:
        assert (await issue(db, resources, tenant))["outcome"] == "issued"
    await act(db, resources, "invoice", "2026-000001", "credit", {"reason": "an outage"}, "t000")
    found = await checked(db, len(tenants))
    assert {d.tax.treatment.category for d in found.values()} == {"S", "AE", "O"}


async def test_what_is_seen_late_stands_on_the_next_invoice(
    db: Database, tmp_path: FilePath
) -> None:
    """A correction: October is issued and stays as it is; November says what it was short of."""
    resources = await cloud(db, tmp_path, **customers(1))
    lease = await run(db, tenant="t000", hold=10 * EURO, source="far")
    await see(db, START + 100 * HOUR, source="far")
    await november(db)
    first = await issue(db, resources, "t000")
    await see(db, START + 200 * HOUR, source="far")
    await finish(db, lease, START + 200 * HOUR)
    await set_clock(db, NOVEMBER + timedelta(days=30))
    await Settler(db).tick()
    second = await issue(db, resources, "t000", "2026-11")
    assert (first["net"], second["net"]) == ("1.36", "1.36")
    found = await checked(db, 2)
    assert {line.description for line in found["2026-000002"].lines} == {
        "Workspace lab, 1 resource, adjustment for 2026-10"
    }


@pytest.fixture
def operated(
    _postgres: EmbeddedPostgres, tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    home = tmp_path / "served"
    home.mkdir()
    with served(_postgres, home) as cloud:
        monkeypatch.setenv("SKERRY_URL", cloud.url)
        monkeypatch.setenv("SKERRY_TOKEN", cloud.token)
        monkeypatch.setenv("SKERRY_NO_CONTEXT", "1")
        yield cloud


@pytest.mark.long
def test_two_hundred_tenants_close_in_one_command(
    operated: Served, tmp_path: FilePath, capsys: pytest.CaptureFixture[str]
) -> None:
    tenants = customers(TENANTS)

    async def used() -> None:
        db = await Database.open(operated.database)
        try:
            resources = await cloud(db, tmp_path, **tenants)
            await a_month(db, resources, list(tenants))
            await november(db)
        finally:
            await db.close()

    async def looked() -> int:
        db = await Database.open(operated.database)
        try:
            return len(await checked(db, TENANTS))
        finally:
            await db.close()

    elsewhere(used())
    began = time.monotonic()
    assert invoke(["invoice", "issue", "--period", "2026-10"]) == 0
    took = time.monotonic() - began
    told = capsys.readouterr()
    assert f"{TENANTS} issued, 0 issued before" in told.err
    assert invoke(["invoice", "issue", "--period", "2026-10"]) == 0
    assert f"0 issued, {TENANTS} issued before" in capsys.readouterr().err
    credit = ["invoice", "credit", "2026-000001", "--tenant", "t000", "--reason", "an outage"]
    assert invoke(credit) == 0
    assert elsewhere(looked()) == TENANTS + 1
    with capsys.disabled():
        print(f"\n{TENANTS} tenants were invoiced in {took:.1f} s")
