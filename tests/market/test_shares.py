"""Leases of several nodes: taken whole, given back whole, and no device twice."""

import asyncio
from itertools import chain

import msgspec
import pytest

from skerry.kernel.errors import Conflict
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.market import decisions, offers, taking
from skerry.market.ask import GIB, Divisible, Offer, Used
from skerry.market.lease import Lease, Refusal
from skerry.market.specs import LeaseSpec
from tests.market.conftest import Cloud
from tests.market.supply import EURO, ask
from tests.market.test_gangs import node

PAIR = {"gpus": 4, "memory": GIB}


def machine(name: str, **facts) -> Offer:
    """A node of eight GPUs that can be given by name."""
    offer = node(name, **facts).offer
    assert isinstance(offer.supply, Divisible)
    devices = tuple(f"GPU-{name}-{n}" for n in range(8))
    stock = msgspec.structs.replace(offer.supply.gpus[0], devices=devices)
    supply = msgspec.structs.replace(offer.supply, gpus=(stock,))
    return msgspec.structs.replace(offer, supply=supply)


async def test_a_gang_takes_of_several_nodes_and_gives_back(cloud: Cloud):
    await cloud.offer(*(machine(f"n{at}", rack="r") for at in range(3)))
    lease = await cloud.lease(ask(tasks=5, **PAIR))
    assert sorted(map(lease.nodes.count, set(lease.nodes))) == [1, 2, 2]
    assert len(set(chain(*lease.devices))) == 20
    assert all(
        device.startswith(f"GPU-{name}-")
        for name, held in zip(lease.nodes, lease.devices, strict=True)
        for device in held
    )
    assert lease.choice.price.per_hour == 5 * (4 * 2 * EURO + 11 * EURO // 1000)
    assert await cloud.held() == lease.choice.price.per_hour
    used = [await cloud.used(f"fleet.n{at}") for at in range(3)]
    async with cloud.db.transaction() as tx:
        [taken] = (await taking.taken_by(tx, [lease.id])).values()
    assert taken == {part.offer: part.takes for part in lease.taken}
    assert sorted(u.gpus["H100"] for u in used) == [4, 8, 8]
    assert {d for u in used for d in u.devices} == set(chain(*lease.devices))
    async with cloud.db.transaction() as tx:
        recorded, again = await decisions.recompute(tx, lease.decision)
        assert recorded.decision == again
        kind = cloud.resources.registry["lease"]
        [shown] = (await cloud.resources.list(tx, kind, Path("acme", "lab"))).items
    shares = shown.typed(LeaseSpec).shares
    assert [share.node for share in shares for _ in range(share.copies)] == list(lease.nodes)
    assert [d for share in shares for d in share.devices] == list(chain(*lease.devices))
    assert (await cloud.close(lease)).state == "closed"
    for at in range(3):
        assert await cloud.used(f"fleet.n{at}") == Used()
    await cloud.close(lease)
    assert await cloud.used("fleet.n0") == Used()


async def test_a_gang_without_room_takes_nothing(cloud: Cloud):
    await cloud.offer(machine("n0"), machine("n1"))
    await cloud.lease(ask(gpus=8))
    got = await cloud.reserve(ask(tasks=3, **PAIR))
    assert isinstance(got, Refusal)
    assert "no site has 12 free GPUs" in got.message
    total = [await cloud.used(f"fleet.n{at}") for at in range(2)]
    assert sum(u.gpus.get("H100", 0) for u in total) == 8
    assert await cloud.held() == 8 * 2 * EURO + 11 * EURO // 1000


async def test_no_device_is_leased_twice(cloud: Cloud):
    """Gangs of three shapes at once over six nodes: what is taken is never taken twice."""
    await cloud.offer(*(machine(f"n{at}", rack=f"r{at // 2}") for at in range(6)))
    shapes = [{"tasks": 3, "gpus": 4}, {"tasks": 1, "gpus": 1}, {"tasks": 10, "gpus": 1}]
    owners = [await cloud.thing(f"t{at}") for at in range(12)]
    got = await asyncio.gather(
        *(cloud.reserve(ask(**shapes[at % 3]), owner) for at, owner in enumerate(owners))
    )
    leases = [one for one in got if isinstance(one, Lease)]
    held = [device for lease in leases for device in chain(*lease.devices)]
    assert len(held) == len(set(held)) == sum(le.ask.gpus * le.ask.tasks for le in leases)
    assert len(held) > 24
    for at in range(6):
        used = await cloud.used(f"fleet.n{at}")
        assert sum(used.gpus.values()) == len(used.devices) <= 8
    await asyncio.gather(*(cloud.close(lease) for lease in leases))
    for at in range(6):
        assert await cloud.used(f"fleet.n{at}") == Used()
    assert await cloud.held() == 0


async def test_a_quoted_gang_is_taken_as_quoted_or_not_at_all(cloud: Cloud):
    await cloud.offer(machine("n0"), machine("n1"))
    quote = await cloud.thing()
    async with cloud.db.transaction() as tx:
        found = await cloud.market.decide(tx, ask(tasks=4, **PAIR), "acme", "lab")
        quoted = await decisions.save(
            tx, found.decision, found.snapshot, quote, purpose="quote", outcome="quoted",
            by=SYSTEM,
        )  # fmt: skip
    first = await cloud.thing()
    async with cloud.db.transaction() as tx:
        lease = await cloud.market.reserve_quoted(tx, quoted, first)
    assert sorted(lease.nodes) == ["n0", "n0", "n1", "n1"]
    second = await cloud.thing()
    with pytest.raises(Conflict, match="too little free"):
        async with cloud.db.transaction() as tx:
            await cloud.market.reserve_quoted(tx, quoted, second)
    await cloud.close(lease)
    await cloud.offer(machine("n1", closed="cordoned"))
    with pytest.raises(Conflict, match="closed: cordoned"):
        async with cloud.db.transaction() as tx:
            await cloud.market.reserve_quoted(tx, quoted, second)
    assert await cloud.used("fleet.n0") == Used()


async def test_devices_without_names_are_the_drivers_choice(cloud: Cloud):
    """A server of an older version, or an agent that can't be told, leaves them open."""
    await cloud.offer(machine("n0"))
    async with cloud.db.transaction() as tx:
        locked = await offers.lock(tx, "fleet.n0")
        assert locked is not None
        await offers.change_use(tx, locked, Used(gpus={"H100": 2}))
    lease = await cloud.lease(ask(gpus=2))
    assert lease.devices == ()
    assert lease.nodes == ("n0",)
    await cloud.close(lease)
    async with cloud.db.transaction() as tx:
        locked = await offers.lock(tx, "fleet.n0")
        assert locked is not None
        await offers.change_use(tx, locked, Used())
    lease = await cloud.lease(ask(gpus=2))
    assert lease.devices == (("GPU-n0-0", "GPU-n0-1"),)
    assert (await cloud.lease(ask(gpus=1))).devices == (("GPU-n0-2",),)


async def test_shares_left_by_an_older_server_are_given_back(cloud: Cloud):
    await cloud.offer(machine("n0"), machine("n1"))
    lease = await cloud.lease(ask(tasks=4, **PAIR))
    further = lease.taken[1]
    await cloud.close(lease)
    async with cloud.db.transaction() as tx:
        locked = await offers.lock(tx, further.offer)
        assert locked is not None
        await offers.change_use(tx, locked, further.takes)
        await tx.execute("update lease_share set given_back = false")
    await cloud.market.sweep(cloud.db)
    await cloud.market.sweep(cloud.db)
    assert await cloud.used(further.offer) == Used()


async def test_a_sick_device_is_not_leased(cloud: Cloud):
    offer = machine("n0")
    assert isinstance(offer.supply, Divisible)
    stock = offer.supply.gpus[0]
    stock = msgspec.structs.replace(
        stock, count=7, devices=stock.devices[1:], out="out of use: GPU-n0-0: Xid 79"
    )
    supply = msgspec.structs.replace(offer.supply, gpus=(stock,))
    await cloud.offer(msgspec.structs.replace(offer, supply=supply))
    got = await cloud.reserve(ask(gpus=8))
    assert isinstance(got, Refusal)
    assert "1 more GPU would have to be in all (out of use: GPU-n0-0: Xid 79)" in got.hint
    assert "GPU-n0-0" not in (await cloud.lease(ask(gpus=7))).devices[0]
