"""A prepaid tenant's credit pays its invoice, tax and all."""

from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.ledger import holds, issuing, money, taxed
from skerry.ledger.journal import InsufficientFunds
from skerry.ledger.settler import Settler
from skerry.store import Database
from tests.ledger.selling import GERMAN, POLISH, REGISTRY, cloud, issue, november, put
from tests.ledger.world import EURO, HOUR, START, finish, lease_of, run, see, set_clock

amounts = st.integers(0, 10**15)
rates = st.integers(0, 9_999)


@given(amounts, amounts, st.lists(amounts, max_size=8), rates)
def test_spending_never_passes_the_credit(
    paid: int, gift: int, wishes: list[int], rate: int
) -> None:
    used = 0
    for wish in wishes:
        if wish <= taxed.left(paid, gift, used, rate):
            used += wish
    net = max(used - gift, 0)
    assert money.half_even(net * rate, 10_000) + net <= paid + 1


async def left(db: Database, tenant: str = "acme") -> int:
    async with db.transaction() as tx:
        found = await holds.available(tx, tenant, "lab")
    assert found is not None
    return found


async def prepaid(
    db: Database, folder: FilePath, customer: dict[str, Any], **credits: str
) -> Resources:
    resources = await cloud(db, folder, acme=customer)
    await put(db, resources, "billing-account", "main", {"mode": "prepaid", "customer": customer})
    for source, amount in credits.items():
        await put(db, resources, "credit", source, {"amount": amount, "source": source})
    return resources


async def test_what_is_left_is_before_tax(db: Database, tmp_path: FilePath) -> None:
    await prepaid(db, tmp_path, GERMAN, payment="119.02", promo="5")
    assert await left(db) == 105 * EURO
    async with db.transaction() as tx:
        with pytest.raises(InsufficientFunds, match="are left in acme's funds before tax"):
            await holds.reserve(tx, lease_of("big"), 105 * EURO + 1)
    await run(db, hold=100 * EURO)
    assert await left(db) == 5 * EURO


async def test_reverse_charge_puts_nothing_on_top(db: Database, tmp_path: FilePath) -> None:
    await prepaid(db, tmp_path, POLISH, payment="119")
    assert await left(db) == 119 * EURO


@pytest.mark.parametrize("gift", ["0.50", ""])
async def test_running_until_the_money_ends_leaves_nothing_to_pay(
    db: Database, tmp_path: FilePath, gift: str
) -> None:
    resources = await prepaid(
        db, tmp_path, GERMAN, payment="1.00", **({"promo": gift} if gift else {})
    )
    lease = await run(db)
    for hours in (1, 2, 30, 60, 100, 200):
        await see(db, START + hours * HOUR)
        await set_clock(db, START + hours * HOUR)
        tick = await Settler(db).tick()
    assert [one.lease for one in tick.exhausted] == [lease.id]
    await finish(db, lease, START + 200 * HOUR)
    await november(db)
    done = await issue(db, resources)
    assert done["payable"] == "0.00"
    assert money.parse(done["gross"]) >= EURO * 97 // 100
    async with db.transaction() as tx:
        assert (await issuing.standing(tx, done["number"])).open == 0


async def test_the_account_says_it(db: Database, tmp_path: FilePath) -> None:
    resources = await prepaid(db, tmp_path, GERMAN, payment="1.21")
    kind = REGISTRY["billing-account"]
    assert kind.hooks is not None
    async with db.transaction() as tx:
        account = await resources.get(tx, resources.ref(kind, Path(tenant="acme", name="main")))
        status = await kind.hooks.shown(tx, resources, account)
    assert (status["balance"], status["available"]) == ("1.21", "1.00")
