"""The sampler: asks every host, every 15 seconds, what its tasks use, and reads what they wrote.

One call for each host tells the use of all its tasks; it is written down as one row. It also tells
where each task's log ends, and only those that grew are read (``collector``). A host that answers
late is not asked again meanwhile, and no host waits for another.
"""

import asyncio
import itertools
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from skerry.series import Batch, Recorder
from skerry.sites.collector import Collector
from skerry.sites.contract import HostUsage, Refused, SiteUnreachable, TaskUsage, Usage
from skerry.sites.hub import Contact, Hub
from skerry.sites.wire import PeerFault
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("sampler")
PATIENCE = 10.0
"""Seconds a host may take to say what is used."""
_TIDY = 240
"""Rounds from one tidying to the next: an hour."""
_EXACT = timedelta(seconds=2)
"""A host's clock that differs by less is right."""
_TROUBLE: tuple[type[Exception], ...] = (
    SiteUnreachable,
    Refused,
    PeerFault,
    TimeoutError,
    *DATABASE_ERRORS,
)


class Sampler:
    """Asks all that the hub has contact with."""

    def __init__(self, db: Database, hub: Hub, recorder: Recorder) -> None:
        self._db = db
        self._hub = hub
        self._recorder = recorder
        self.collector = Collector(db)
        self._busy: set[tuple[str, str]] = set()
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                if number % _TIDY == 0:
                    self._begin(group, "", "tidy", self._tidy())
                for contact in self._hub.contacts():
                    self._begin(group, contact.at, "sample", self._visit(group, contact))
                await self._recorder.rest()

    def _begin(
        self, group: asyncio.TaskGroup, at: str, what: str, work: Coroutine[Any, Any, None]
    ) -> None:
        """Do it beside the others, unless the one before is still at it."""
        key = (at, what)
        if key in self._busy:
            work.close()
            return

        async def careful() -> None:
            try:
                await work
                self._said.pop(f"{at} {what}", None)
            except Exception as error:  # noqa: BLE001 - one host's trouble must not end the others'
                self._tell(at, what, error)
            finally:
                self._busy.discard(key)

        self._busy.add(key)
        group.create_task(careful())

    def _tell(self, at: str, what: str, error: Exception) -> None:
        """Once, until it is something else or it works again; the whole story if it should not
        happen at all."""
        words = f"{type(error).__name__}: {error}"
        if self._said.get(f"{at} {what}") == words:
            return
        self._said[f"{at} {what}"] = words
        if isinstance(error, _TROUBLE):
            _log.info("host not sampled", at=at, what=what, error=words)
        else:
            _log.error("host not sampled", at=at, what=what, error=words, exc_info=error)

    async def _tidy(self) -> None:
        await self._db.execute(_sql.drop_cursors)

    async def _visit(self, group: asyncio.TaskGroup, contact: Contact) -> None:
        try:
            tasks, behind = await self.sample(contact)
        except Refused as refused:
            self._tell(contact.at, "use", refused)
            tasks, behind = (), timedelta()
        reading = self.collector.look(contact.at, contact.driver, tasks, behind)
        self._begin(group, contact.at, "logs", reading)

    async def sample(self, contact: Contact) -> tuple[tuple[TaskUsage, ...], timedelta]:
        """Ask one host and write its answer down; the answer, and how far its clock is behind.

        Raises ``SiteUnreachable``, ``TimeoutError``, and ``Refused`` where it can't tell.
        """
        if not isinstance(contact.driver, Usage):
            raise Refused("NotSupported", "it does not tell what is used")
        async with asyncio.timeout(PATIENCE):
            host, tasks = await contact.driver.usage()
        now = await self._db.fetchval("select skerry_now()")
        batches = [_host(host), _tasks(contact.at, tasks), _devices(host)]
        await self._recorder.write(contact.at, batches)
        behind = now - host.at
        return tasks, behind if abs(behind) > _EXACT else timedelta()


def _host(said: HostUsage) -> Batch:
    names = ("memory", "disk", "received", "sent", "gpu")
    columns = {name: [getattr(said, name)] for name in names}
    return Batch("host", [("", 0)], {**columns, "cpu": [said.cpu_seconds]})


def _devices(said: HostUsage) -> Batch:
    keys = [(device.uuid, 0) for device in said.devices]
    columns: dict[str, list[float | None]] = {
        "gpu": [device.busy for device in said.devices],
        "gpu_memory": [device.memory for device in said.devices],
    }
    return Batch("gpu", keys, columns)


def _tasks(at: str, said: Sequence[TaskUsage]) -> Batch:
    names = ("memory", "received", "sent", "gpu", "gpu_memory", "disk")
    columns = {name: [getattr(task, name) for task in said] for name in names}
    keys = [(task.id, task.rank) for task in said]

    async def owners(tx: Tx, ids: Sequence[str]) -> Mapping[str, UUID]:
        return {r["id"]: r["owner"] for r in await tx.fetch(_sql.owners_of_workloads, at, ids)}

    return Batch("task", keys, {**columns, "cpu": [t.cpu_seconds for t in said]}, owners)
