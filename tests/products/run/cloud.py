"""A whole cloud in process for the tests of jobs: all kinds, real money, simulated sites.

Time is the database's, and the sites' is the same: ``let_pass`` moves both. Nothing runs by itself:
``turn`` lets everybody who would be awake in a real cloud act once (the sites' watch, the workers,
what carries over between sites and ledger), so that a test sees each phase of a job it asks for.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

import msgspec

from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import watch_over
from skerry.kernel.sealing import Sealer
from skerry.kernel.sequencer import Sequencer
from skerry.kernel.vitals import Pace
from skerry.kernel.worker import Worker, poke
from skerry.ledger import chart, price_lists
from skerry.ledger.chart import Terms
from skerry.ledger.reconcile import reconcile as reconcile_ledger
from skerry.ledger.settler import Settler
from skerry.market import offers
from skerry.market.leases import Market
from skerry.market.queues.hand import Hand
from skerry.proof import audit
from skerry.proof.log import Log
from skerry.proof.note import Signer
from skerry.sites import seen
from skerry.sites.business import Business
from skerry.sites.contract import SiteUnreachable
from skerry.sites.hub import Hub
from skerry.sites.kinds import ensure_region
from skerry.sites.observer import Observer, owners
from skerry.sites.reconcile import reconcile
from skerry.sites.simulated.clock import Wake
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.driver import WORLDS, Simulated
from skerry.sites.simulated.world import World
from skerry.store import Blobs, Database
from skerry.store.queries import load
from skerry.up import stopping
from tests.ledger.world import pay_in
from tests.sites.contract.script import Script

_sites = load("skerry.sites")
REGISTRY = Registry.discover()
START = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
AT = Path("acme", "lab")
STEP = 10
"""Seconds in which everybody has a turn: fewer than make a silent site, or a stopped server."""


class Clock:
    """The host's time, moved: what the simulated sites and the database have in common."""

    def __init__(self) -> None:
        self.shift = START.timestamp() - time.time()

    def now(self) -> float:
        return time.time() + self.shift

    def wake(self, at: float | None, callback: Wake) -> None:
        """Nothing: who moves the clock lets the sites act."""


class ByHand(Observer):
    """The observer, one look at a time."""

    def mind(self, name: str, pace: Pace) -> None:
        """See leaps of the clock, as observers in servers do; others take any for time that passes,
        which is how tests let it pass."""
        self._paces[name] = pace

    async def look(self, name: str) -> None:
        """Write down what the watch of a site would have by now."""
        contact = self._hub.contact(name)
        [row] = [row for row in await self._db.fetch(_sites.places) if row["name"] == name]
        site = Resource(**dict(row))
        if contact is None:
            return
        try:
            await self._db.fetchval(_sites.take_watch, name, self._me, self._lease, False)
            await self._heartbeat(site, contact)
            _, rows = await reconcile(self._db, site, contact.driver, self._writing, self._tell)
        except SiteUnreachable:
            return
        await poke(self._db, owners(rows))


class Cloud:
    """What a test does and sees. One server process, until ``restart``."""

    def __init__(self, db: Database, folder: FilePath, clock: Clock) -> None:
        self.db = db
        self.folder = folder
        self.clock = clock
        self.resources = Resources(REGISTRY, Sealer(folder / "keys"), "home")
        self.market = Market.of(self.resources)
        self.blobs = Blobs(folder / "blobs")
        self.hub = Hub(db)
        self.services = Services(self.hub, self.blobs, self.market)
        self.worker = Worker(db, self.resources, self.services)
        self.business = Business(db, self.resources)
        self.observer = ByHand(
            db, self.resources, self.hub, on_capacity=self.business.offered, patience=30
        )
        self.settler = Settler(db, resources=self.resources, on_exhausted=stopping(self.resources))
        self.hand = Hand(db, self.resources)
        self.sites: dict[str, World] = {}
        self.ticked = START

    def restart(self) -> "Cloud":
        """Another server process on the same database, and with the same sites."""
        again = Cloud(self.db, self.folder, self.clock)
        for name, world in self.sites.items():
            again.sites[name] = world
            again.hub.open(name, "simulated", {"name": world.config.name})
        return again

    # What is there

    async def site(self, name: str = "one", **config: Any) -> World:
        """Declare a site and let it be seen; ``config`` is the simulated one's."""
        known = f"{name}-{uuid.uuid4().hex[:8]}"
        world = WORLDS[known] = World(
            msgspec.convert({**config, "name": known}, Config), self.clock
        )
        self.sites[name] = world
        spec = {
            "driver": "simulated", "region": "home", "zone": "a", "jurisdiction": "SE",
            "operator": "skerry", "config": {"name": known},
        }  # fmt: skip
        await self.put("site", name, spec, Path())
        self.hub.open(name, "simulated", spec["config"])
        await self.observer.look(name)
        return world

    async def put(
        self, noun: str, name: str, spec: Any, at: Path = AT, *, by: Caller = SYSTEM, **more: Any
    ) -> Resource:
        kind = REGISTRY[noun]
        path = {"global": Path(), "tenant": Path(at.tenant), "workspace": at}[kind.scope]
        async with self.db.transaction() as tx:
            body = {"spec": spec, **more}
            put = await self.resources.put(tx, kind, path.named(name), body, by)
        return put.resource

    async def job(self, name: str = "job", script: Script | None = None, **spec: Any) -> Resource:
        """Put a job that does what the script says."""
        env = {"SKERRY_SIM": script.json} if script is not None else {}
        spec = {"command": ["train"], "env": {**env, **spec.pop("env", {})}, **spec}
        return await self.put("job", name, spec)

    async def prepay(self, amount: int) -> None:
        """Let ``acme`` spend so much and no more, in nano."""
        async with self.db.transaction() as tx:
            await chart.set_terms(tx, "acme", Terms("prepaid", None, "EUR"))
            await pay_in(tx, "acme", amount)

    # What is done

    async def cancel(self, job: Resource) -> None:
        async with self.db.transaction() as tx:
            await self.resources.act(tx, job, "cancel", None, SYSTEM)

    async def delete(self, job: Resource) -> None:
        async with self.db.transaction() as tx:
            await self.resources.delete(tx, job, SYSTEM)

    async def turn(self) -> None:
        """Everybody acts, until nobody has anything to do at this instant."""
        for _ in range(20):
            await self.observer.tick()
            for name in self.sites:
                await self.observer.look(name)
            await self.business.carry()
            if not await self.worker.drain() and not await self.hand.once():
                return
        raise AssertionError("they never come to rest")

    async def shift(self, seconds: float) -> None:
        """Let time pass in which nobody acts, as when the server is down."""
        self.clock.shift += seconds
        await self.db.execute("update clock set shift = shift + $1", timedelta(seconds=seconds))

    async def let_pass(self, seconds: float, step: float = STEP) -> None:
        """Let time pass, with a turn for everybody every few seconds, and a settlement a minute."""
        while seconds > 0:
            part = min(seconds, step)
            await self.shift(part)
            await self.turn()
            now = datetime.fromtimestamp(self.clock.now(), UTC)
            if now.replace(second=0, microsecond=0) > self.ticked:
                self.ticked = now.replace(second=0, microsecond=0)
                await self.settler.tick()
                await self.turn()
            seconds -= part

    async def until(
        self,
        job: Resource,
        wanted: Callable[[Resource], bool] | str,
        *,
        most: float = 600,
        step: float = 1,
    ) -> Resource:
        """Let time pass, step by step, until the job is in that phase."""
        check = (lambda r: r.phase == wanted) if isinstance(wanted, str) else wanted
        for _ in range(int(most / step)):
            await self.turn()
            current = await self.read(job)
            if check(current):
                return current
            await self.let_pass(step, step)
        raise AssertionError(f"{wanted} never came: {current.status}")

    # What is seen

    async def read(self, job: Resource) -> Resource:
        async with self.db.transaction() as tx:
            return await self.resources.by_uid(tx, job.uid)

    async def shown(self, job: Resource) -> Mapping[str, Any]:
        """The status as a client reads it."""
        async with self.db.transaction() as tx:
            current = await self.resources.by_uid(tx, job.uid)
            hooks = REGISTRY["job"].hooks
            assert hooks is not None
            return {**current.status, **await hooks.shown(tx, self.resources, current)}

    async def gone(self, job: Resource) -> bool:
        return (await self.read(job)).deleted_at is not None

    async def works(self, job: Resource) -> list[seen.Seen]:
        async with self.db.transaction() as tx:
            return await seen.of_owner(tx, job.uid)

    def at_site(self, name: str = "one") -> list[str]:
        """The phases of all tasks that the site has."""
        _, statuses = self.sites[name].list()
        return [task.phase for status in statuses for task in status.tasks]

    async def used(self, site: str = "one") -> int:
        """Thousandths of a core that are leased there."""
        async with self.db.transaction() as tx:
            row = await offers.read(tx, site)
        assert row is not None
        return row.used.millicores

    async def held(self) -> int:
        """Money set aside, in nano."""
        return int(
            await self.db.fetchval(
                "select coalesce(sum(credits_pending + credits_posted - debits_posted), 0)"
                " from account where code = 'held'"
            )
        )

    async def leases(self, job: Resource) -> list[tuple[str, str]]:
        """State and reason of each of the job's leases, oldest first."""
        async with self.db.transaction() as tx:
            found = await self.market.leases_of(tx, job.uid)
        return [(lease.state, lease.reason) for lease in reversed(found)]

    async def charged(self, job: Resource) -> int:
        """What all of its usage rows come to, in nano."""
        return int(
            await self.db.fetchval(
                "select coalesce(sum(u.amount), 0) from usage u join stream s on s.id = u.stream"
                " join hold h on h.lease = s.lease where h.resource_uid = $1",
                job.uid,
            )
        )

    async def seconds(self, job: Resource) -> float:
        """How long it was metered, as its cores' usage rows say."""
        cores = job.spec.get("millicores", 1000) * job.spec.get("count", 1)
        used = await self.db.fetchval(
            "select coalesce(sum(u.quantity), 0) from usage u join stream s on s.id = u.stream"
            " join hold h on h.lease = s.lease where h.resource_uid = $1 and s.meter = 'cpu-hour'",
            job.uid,
        )
        return float(used) / cores

    async def alerts(self) -> list[str]:
        rows = await self.db.fetch("select reason from alert where cleared_at is null order by 1")
        return [row["reason"] for row in rows]

    async def assert_books_closed(self) -> None:
        """Nothing is left of any job that has ended: no capacity, no money, no metering."""
        for name in self.sites:
            assert await self.used(name) == 0
        assert await self.held() == 0
        assert await self.db.fetchval("select count(*) from lease where state <> 'closed'") == 0
        assert await self.db.fetchval("select count(*) from stream where not closed") == 0
        await self.audited()

    async def audited(self) -> None:
        """Log, tables and money tell the same story."""
        sequencer = Sequencer(self.db)
        while await sequencer.run_once():
            pass
        signer = Signer.open(self.folder / "log.key", "skerry/test")
        await Log(self.db, self.folder / "log", signer).publish()
        found = await audit.verify(self.db, self.folder / "log", signer.vkey)
        assert [str(one) for one in found] == []
        async with self.db.transaction(readonly=True) as tx:
            assert await reconcile_ledger(tx) == []


async def opened(db: Database, folder: FilePath) -> Cloud:
    """A region, prices, and a tenant with a workspace; no site yet."""
    watch_over(REGISTRY)
    clock = Clock()
    await db.execute("update clock set shift = $1", timedelta(seconds=clock.shift))
    cloud = Cloud(db, folder, clock)
    async with db.transaction() as tx:
        await ensure_region(tx, cloud.resources, "home", ["a"], "http://here")
        await price_lists.load(tx, price_lists.shipped())
    await cloud.put("tenant", "acme", {}, Path())
    await cloud.put("workspace", "lab", {})
    return cloud


def driver(world: World) -> Simulated:
    """Another way to the same site, for a test that acts behind the cloud's back."""
    return Simulated(world)
