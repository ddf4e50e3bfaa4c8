"""The observer: writes down what is seen of each place, and wakes the flows that it concerns.

A place is a site, or a host that joined a site. For each that is declared it waits for a contact,
then reconciles (``reconcile``: its list against the table) and watches from the list's cursor.
Whatever goes wrong on the way, a lost connection, an expired cursor, a database away, ends alike:
reconcile again. Beside it a heartbeat notes that the place is there, and ``tick`` opens outages of
those that are not.

One process watches a place: the one that holds the lease in ``site_contact``. Every transaction of
a watcher renews and so proves it. An agent's connection takes the lease over; sites in process go
to whoever comes first. The processes that tick must be those that agents connect to, since only
they can tell a silent place from a server that was away.
"""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg
import msgspec
import structlog

from skerry.kernel import alerts
from skerry.kernel.changes import canonical
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.vitals import Pace
from skerry.kernel.worker import poke
from skerry.sites import outages, seen
from skerry.sites.contract import (
    Capacity,
    CursorExpired,
    Event,
    Refused,
    SiteUnreachable,
    Workloads,
)
from skerry.sites.hosts import phase
from skerry.sites.hub import Contact, Hub
from skerry.sites.kinds import SiteSpec, secrets_of
from skerry.sites.nodes import CHANNEL as NODES
from skerry.sites.outages import PATIENCE, Watchfulness
from skerry.sites.places import at_of, called, declared
from skerry.sites.reconcile import BATCH, drop_orphan, note_orphans, reconcile, sweep
from skerry.sites.silence import NOTICE, SILENT, fell_silent
from skerry.sites.wire import PeerFault
from skerry.store import Database, Tx
from skerry.store.cancelling import apart
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("observer")

_AWAY = (
    SiteUnreachable,
    CursorExpired,
    Refused,
    PeerFault,
    TimeoutError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
"""What ends a watch without being anybody's mistake."""

OnChange = Callable[[Tx, Sequence[str]], Awaitable[None]]
"""Called in the transaction that writes the sights, with the workloads' ids."""
OnCapacity = Callable[[Tx, Resource, Capacity], Awaitable[None]]
"""Called in a transaction when what a place has, not what is free of it, is new."""


class NotOurs(Exception):
    """Another process watches the place."""


async def _nobody(tx: Tx, ids: Sequence[str]) -> None:
    return None


async def _nothing(tx: Tx, place: Resource, capacity: Capacity) -> None:
    return None


class Observer:
    """``beat`` is how many seconds lie between two signs of life, ``notice`` after how many of
    silence nothing new is placed there, ``patience`` how many make an outage, ``lease`` how many a
    watcher that vanished keeps others out; ``me`` is what others know this process by.

    With a ``pace``, the clock is not believed when it leaps ahead: no place was seen in time that
    nobody lived through, and it is free.
    """

    def __init__(
        self,
        db: Database,
        resources: Resources,
        hub: Hub,
        *,
        on_change: OnChange = _nobody,
        on_capacity: OnCapacity = _nothing,
        beat: float = 2.5,
        notice: float = NOTICE,
        patience: float = PATIENCE.total_seconds(),
        lease: float = 15.0,
        me: str = "",
        pace: Callable[[], Pace] | None = None,
    ) -> None:
        self._db = db
        self._resources = resources
        self._hub = hub
        self._on_change = on_change
        self._on_capacity = on_capacity
        self._beat = beat
        self._patience = timedelta(seconds=patience)
        self._lease = timedelta(seconds=lease)
        self._me = me or uuid.uuid4().hex
        self._watchfulness = Watchfulness(self._patience / 2)
        self._notice = timedelta(seconds=min(notice, patience))
        self._attention = Watchfulness(self._notice / 2)
        self._watches: dict[str, tuple[uuid.UUID, asyncio.Task[None]]] = {}
        self._opened: dict[str, tuple[str, str, str]] = {}
        self._written: dict[str, str] = {}
        self._pace = pace
        self._paces: dict[str, Pace] = {}

    async def run(self) -> None:
        """Observe every declared place until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    try:
                        await self._follow_declarations(group)
                        await self.tick()
                    except _AWAY as error:
                        _log.warning("places not looked at", error=_words(error))
                    await asyncio.sleep(self._beat / 2)
        finally:
            with suppress(*_AWAY):  # then the leases run out by themselves
                await self._db.execute(_sql.leave_watches, self._me)

    async def _follow_declarations(self, group: asyncio.TaskGroup) -> None:
        """One watch for each place that is declared, none for others."""
        places = {at_of(place): place for place in await declared(self._db)}
        for at, (uid, watch) in tuple(self._watches.items()):
            if at not in places or places[at].uid != uid:
                watch.cancel()
                await self._hub.close(at)
                del self._watches[at]
                self._opened.pop(at, None)
        for at, place in places.items():
            if place.kind == "site":
                await self._open(place)
            if at not in self._watches:
                watch = group.create_task(self._watch_for_ever(place))
                self._watches[at] = place.uid, watch

    async def _open(self, site: Resource) -> None:
        """Open a site that lives in process, again if what it is told has changed."""
        spec = site.typed(SiteSpec)
        config = msgspec.json.encode(spec.config, order="sorted").decode()
        # Its secrets are opened only when they may have changed.
        written = f"{spec.driver} {site.generation} {config}"
        if self._written.get(site.name) == written and site.name in self._opened:
            return
        async with self._db.transaction() as tx:
            secrets = await secrets_of(tx, self._resources, site)
        digest = hashlib.sha256(canonical(secrets)).hexdigest()
        told = (spec.driver, config, digest)
        self._written[site.name] = written
        if self._opened.get(site.name) == told:
            return
        if site.name in self._opened:
            await self._hub.close(site.name)
        try:
            self._hub.open(site.name, spec.driver, {**spec.config, **secrets}, ours=False)
        except (Refused, SiteUnreachable) as error:
            _log.warning("site not opened", site=site.name, error=_words(error))
        except LookupError as reason:
            _log.debug("site waits for its agent", site=site.name, reason=str(reason))
            self._opened[site.name] = told
        else:
            self._opened[site.name] = told

    async def tick(self) -> None:
        """Open an outage for each place that was silent for too long while we were there, and wake
        what is there: some of it may rather be elsewhere."""
        concerned: list[uuid.UUID] = []
        silent: list[Row] = []
        async with self._db.transaction() as tx:
            now = await tx.now()
            since, heeded = self._watchfulness.tick(now), self._attention.tick(now)
            for row in await tx.fetch(_sql.contacts_of_places):
                at, last = row["at"], row["last_seen_at"]
                if outages.outage_began(last, heeded, now, self._notice) is not None:
                    silent.append(row)
                began = outages.outage_began(last, since, now, self._patience)
                if began is None or not await tx.fetchval(_sql.hold_silent_contact, at, last):
                    continue
                if await outages.begin(tx, at, began):
                    await self._lost(tx, row["uid"])
                    concerned += await seen.owners_at(tx, at)
        if concerned:
            await poke(self._db, concerned)
        for row in silent:
            args = row["uid"], row["at"], row["last_seen_at"]
            await fell_silent(self._db, self._resources, *args)

    async def _lost(self, tx: Tx, uid: uuid.UUID) -> None:
        silence = f"{self._patience.total_seconds():.0f} seconds"
        place = await self._resources.set_status(tx, uid, status={"phase": "unreachable"})
        await alerts.raise_alert(
            tx,
            subject=place.ref,
            reason="SiteUnreachable",
            message=f"nothing was heard of {called(at_of(place))} for {silence}",
            remedy="See whether its host is up and reaches the server. What runs there goes on; "
            "it is not billed meanwhile and not started elsewhere.",
        )

    # One place

    async def _watch_for_ever(self, place: Resource) -> None:
        said = ""
        while True:
            contact = await self._hub.wait(at_of(place))
            began = asyncio.get_running_loop().time()
            try:
                await apart(self._watch(place, contact))
            except Exception as error:  # noqa: BLE001 - one place's trouble must not end the others'
                if asyncio.get_running_loop().time() - began > self._patience.total_seconds():
                    said = ""
                group = error if isinstance(error, ExceptionGroup) else ExceptionGroup("", [error])
                said = _tell_of(at_of(place), group, said)
                if group.subgroup(NotOurs) is not None:
                    contact.ours = False
                    if contact.remote:  # the agent has gone over to another process
                        await self._hub.end(contact)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._beat / 5):
                    await contact.ended.wait()

    async def _watch(self, place: Resource, contact: Contact) -> None:
        """Until something ends it; always raises."""
        async with self._db.transaction() as tx:
            args = (at_of(place), self._me, self._lease, contact.remote)
            contact.ours = await tx.fetchval(_sql.take_watch, *args) is not None
            if not contact.ours:
                raise NotOurs
        self._db.notify(NODES)
        if self._pace is not None:
            self._paces[at_of(place)] = self._pace()
        await self._heartbeat(place, contact)
        agent = contact.agent_version, contact.boot_id
        await self._db.execute(_sql.connected, at_of(place), *agent)
        driver = contact.driver
        cursor, changed = await reconcile(self._db, place, driver, self._writing, self._tell)
        await poke(self._db, owners(changed))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(place, driver, cursor))
            group.create_task(self._keep_in_touch(place, contact))
            group.create_task(_until_ended(contact))

    @asynccontextmanager
    async def _writing(self, at: str) -> AsyncIterator[Tx]:
        """A transaction of the place's watcher. Raises ``NotOurs`` if that is no longer us."""
        async with self._db.transaction() as tx:
            now = await tx.fetchval(_sql.hold_watch, at, self._me, self._lease)
            if now is None:
                raise NotOurs
            tx.now_is(now)
            yield tx

    async def _follow(self, place: Resource, driver: Workloads, cursor: int) -> None:
        """Write events down as they come, several at once if they come fast."""
        queue: asyncio.Queue[Event] = asyncio.Queue(2 * BATCH)

        async def listen() -> None:
            async for event in driver.watch(cursor):
                await queue.put(event)
            raise SiteUnreachable("the watch ended")

        async def write() -> None:
            while True:
                batch = [await queue.get()]
                while len(batch) < BATCH and not queue.empty():
                    batch.append(queue.get_nowait())
                await self.write(place, batch)

        async with asyncio.TaskGroup() as group:
            group.create_task(listen())
            group.create_task(write())

    async def write(self, place: Resource, events: Sequence[Event]) -> None:
        """Fold a place's events into the table and wake the flows concerned."""
        shown = [event.status for event in events if event.status is not None]
        gone, at = [event.id for event in events if event.status is None], at_of(place)
        async with self._writing(at) as tx:
            sights = await seen.saw(tx, at, shown)
            changed = sights.changed + await seen.is_gone(tx, at, gone)
            if sights.unknown:
                await note_orphans(tx, place, sights.unknown)
            for id in gone:
                await drop_orphan(tx, place, id)
            await self._tell(tx, changed)
        await poke(self._db, owners(changed))

    async def _tell(self, tx: Tx, changed: Sequence[Row]) -> None:
        if changed:
            await self._on_change(tx, sorted({row["id"] for row in changed}))

    async def _keep_in_touch(self, place: Resource, contact: Contact) -> None:
        while True:
            await asyncio.sleep(self._beat)
            await self._heartbeat(place, contact)
            await sweep(self._db, at_of(place), contact.driver)

    async def _heartbeat(self, place: Resource, contact: Contact) -> None:
        """Hear from the place, and write down that we did and what it has."""
        async with asyncio.timeout(self._patience.total_seconds() / 2):
            capacity = await contact.driver.capacity()
            await self._hub.compare_clock(contact)
        at, concerned = at_of(place), list[uuid.UUID]()
        async with self._writing(at) as tx:
            before = await tx.fetchval(_sql.known_capacity, at)
            await self._leave_out_leaps(tx, at)
            await tx.execute(_sql.seen_place, at, msgspec.to_builtins(capacity))
            if await outages.end(tx, at):
                await alerts.clear(tx, place.ref, "SiteUnreachable")
                concerned = await seen.owners_at(tx, at)
            await _note_clock(tx, place, contact)
            current = await self._resources.by_uid(tx, place.uid, lock=True)
            status = await phase(tx, current) if place.kind == "host" else {"phase": "connected"}
            back = current.phase == SILENT
            current = await self._resources.set_status(tx, place.uid, status=status)
            known = msgspec.convert(before, Capacity) if before is not None else None
            if known is None or back or _whole(known) != _whole(capacity):
                await self._on_capacity(tx, current, capacity)
        if concerned:
            await poke(self._db, concerned)

    async def _leave_out_leaps(self, tx: Tx, at: str) -> None:
        """Open an outage over the clock's leap, if there was one; this heartbeat ends it."""
        pace = self._paces.get(at)
        if pace is not None and pace.leap(await tx.now()) > timedelta(0):
            assert pace.before is not None
            await outages.begin(tx, at, pace.before)


async def _note_clock(tx: Tx, place: Resource, contact: Contact) -> None:
    """Write down how far the place's clock is off, and keep the alert about it as it should be."""
    if contact.clock is None:
        return
    wrong = contact.clock.wrong
    words = contact.clock.in_words() if wrong else "right"
    if words == contact.clock_noted:
        return
    tx.after_commit(lambda: setattr(contact, "clock_noted", words))
    ahead = contact.clock.ahead.total_seconds() if wrong else None
    await tx.execute(_sql.clock_seen, at_of(place), ahead)
    if not wrong:
        await alerts.clear(tx, place.ref, "ClockWrong")
        return
    await alerts.raise_alert(
        tx,
        subject=place.ref,
        reason="ClockWrong",
        message=f"the clock of {called(at_of(place))} is {words}",
        remedy="Set it right, by NTP say. The times that the host reports are put right meanwhile.",
    )


def owners(rows: Sequence[Row]) -> list[uuid.UUID]:
    """Whose flows to wake."""
    return sorted({row["owner"] for row in rows})


def _whole(capacity: Capacity) -> Capacity:
    """What the place has, without what is free of it."""
    return msgspec.structs.replace(
        capacity, free_millicores=0, free_memory=0, free_gpus=(), free_disk=0
    )


async def _until_ended(contact: Contact) -> None:
    await contact.ended.wait()
    raise SiteUnreachable("the connection ended")


def _tell_of(at: str, group: ExceptionGroup[Exception], said: str) -> str:
    """A watch ended: a line if that happens, the whole story if it should not, and neither over
    and over again. The answer is what was said."""
    _, unforeseen = group.split((*_AWAY, NotOurs))
    words = _words(group if unforeseen is None else unforeseen)
    if words != said:
        log = _log.info if unforeseen is None else _log.error
        log("watch ended", at=at, error=words, exc_info=unforeseen)
    return words


def _words(error: BaseException | None) -> str:
    """The first cause of a failure, in words."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
