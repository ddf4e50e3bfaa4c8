"""What a server notices of the ground it stands on, told as alerts of the whole cloud.

Database, connections, notices, clock and disk fail in ways that the work itself survives: it waits,
polls, or is repeated. A person should hear of it all the same, with what to do. Each sign is one
alert, which closes when the sign is gone; what was only an instant (a restart, a leap of the clock)
closes after ``CALM``.

Time is the one thing that is put right here. The clock of the database's machine may be put back,
and whatever waits would then wait for that much longer; so Skerry's time does not run back. It goes
on evenly (``clock.held``), and loses a twentieth from then on until it is the machine's again. A
leap ahead is taken as it is: that nothing of it is billed is seen to where places are watched
(``sites.observer``).
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from skerry.kernel import alerts
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.kernel", "vitals.sql")
_log = structlog.get_logger("vitals")

CHANNEL = "vitals"
EVERY = 2.0
CALM = timedelta(minutes=10)
PATIENCE = 5.0
"""Seconds that one may have to wait for a connection of the pool."""
MISSED = 5
"""Notices not heard, one after the other, that make them lost."""
LEAP = timedelta(seconds=5)
PROMPT = 2.0
LOSES = 0.05
LOW_SHARE, LOW_BYTES = 0.1, 2 << 30
"""A disk has little left: less than the share, and less than the bytes."""
_NONE = timedelta(0)


@dataclass(frozen=True)
class Sign:
    """One thing that is not as it should be."""

    subject: str
    reason: str
    message: str
    remedy: str

    @property
    def key(self) -> tuple[str, str]:
        return self.subject, self.reason


def passed() -> float:
    """Seconds since some instant, the machine's sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Pace:
    """Whether a clock goes as fast as time does. ``passing`` says how many seconds have passed."""

    def __init__(self, passing: Callable[[], float] = passed) -> None:
        self._passing = passing
        self._last: tuple[datetime, float] | None = None
        self.before: datetime | None = None
        """What the clock said at the call before the last."""

    def leap(self, now: datetime) -> timedelta:
        """How far the clock has leapt since the last call; zero for what may be the network's."""
        seconds = self._passing()
        self.before, then = self._last or (now, seconds)
        self._last = now, seconds
        leap = (now - self.before) - timedelta(seconds=seconds - then)
        return leap if abs(leap) > LEAP else _NONE

    def moved(self, by: timedelta) -> None:
        """The clock was moved since the last call, and that is no leap."""
        if self._last is not None:
            self._last = self._last[0] + by, self._last[1]


class Vitals:
    """``name`` is this server's among others on the database; ``folders`` are those whose disks
    must not run full, ``passing`` how many seconds have passed."""

    def __init__(
        self,
        db: Database,
        name: str,
        folders: Iterable[Path] = (),
        *,
        every: float = EVERY,
        patience: float = PATIENCE,
        passing: Callable[[], float] = passed,
    ) -> None:
        self._db = db
        self._name = name
        self._folders = tuple(folders)
        self._every = every
        self._patience = patience
        self._pace = Pace(passing)
        self._passing = passing
        self._looked = passing()
        self._born: datetime | None = None
        self._unheard = 0

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        await self._db.listen(CHANNEL, self.heard)
        while True:
            try:
                await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("vitals not looked at", error=str(error))
            await asyncio.sleep(self._every)

    def heard(self) -> None:
        """A notice came."""
        self._unheard = 0

    async def look(self) -> None:
        """See how things are, raise what is to be raised and close what is over."""
        asked = self._passing()
        try:
            async with asyncio.timeout(self._patience):
                row = await self._db.fetchrow(_sql.look)
        except TimeoutError:
            await self._no_connection()
            return
        assert row is not None
        # An answer that was long under way, or came while we stood still, tells nothing of now.
        prompt = self._passing() - asked < PROMPT
        leap, before = self._pace.leap(row["now"]) if prompt else _NONE, self._pace.before
        known = await self._open()
        low = await asyncio.to_thread(lambda: list(self._low(known)))
        await self._keep(known, row["now"], _STATES, [*self._lost(), *low])
        held, leap = await self._hold(row["held"], leap)
        await self._keep(known, row["now"], ("ClockPutBack",), _put_back(held))
        instants = [*self._restarted(row["born"]), *_leapt(leap, before)]
        await self._tell(known, row["now"], instants)

    async def _open(self) -> dict[tuple[str, str], datetime]:
        """Since when alerts of ours are open."""
        rows = await self._db.fetch(_sql.open, [*_STATES, *_INSTANTS, "ClockPutBack"])
        return {(row["subject"], row["reason"]): row["raised_at"] for row in rows}

    async def _keep(
        self,
        known: dict[tuple[str, str], datetime],
        now: datetime,
        reasons: Iterable[str],
        signs: Iterable[Sign],
    ) -> None:
        """Let the alerts of these reasons be these; those of other servers stay as they are."""
        wanted = {sign.key: sign for sign in signs}
        mine = {key for key in known if key[1] in reasons and key[0] in self._subjects()}
        if wanted.keys() == mine:
            return
        async with self._db.transaction() as tx:
            for key in mine - wanted.keys():
                await alerts.clear(tx, *key)
            for key in wanted.keys() - mine:
                await _raise(tx, wanted[key])

    async def _tell(
        self, known: dict[tuple[str, str], datetime], now: datetime, signs: list[Sign]
    ) -> None:
        """Raise alerts about what was but an instant, and close those that were long ago."""
        over = [key for key, since in known.items() if key[1] in _INSTANTS and now - since > CALM]
        if not signs and not over:
            return
        async with self._db.transaction() as tx:
            for key in [*over, *(sign.key for sign in signs)]:
                await alerts.clear(tx, *key)
            for sign in signs:
                await _raise(tx, sign)

    def _subjects(self) -> set[str]:
        return {"clock", self._name, *(self._disk(folder) for folder in self._folders)}

    def _disk(self, folder: Path) -> str:
        return f"disk of {self._name}: {folder}"

    # The database

    async def _no_connection(self) -> None:
        """None of the pool's came in time: tell it by one that is not the pool's."""
        _log.warning("no connection came free", seconds=self._patience)
        outside = await Database.open(self._db.url, 1)
        try:
            async with outside.transaction() as tx:
                await _raise(tx, _exhausted(self._name, self._patience))
        finally:
            await outside.close()

    def _restarted(self, born: datetime) -> Iterator[Sign]:
        before, self._born = self._born, born
        if before is not None and before != born:
            yield Sign(
                "database",
                "DatabaseRestarted",
                f"Postgres was started anew at {born:%Y-%m-%d %H:%M:%S} UTC; what it had not"
                " committed was done again",
                "If nobody meant it, see why it ended: postgres/postgres.log in the data directory,"
                " and the kernel's log for 'Out of memory'.",
            )

    def _lost(self) -> Iterator[Sign]:
        if self._unheard > MISSED:
            yield Sign(
                self._name,
                "NoticesLost",
                "notices sent through Postgres do not arrive; everything is found by looking, up to"
                " a second later",
                "Give DATABASE_URL a direct way to Postgres. A pooler between them must pass LISTEN"
                " on (PgBouncer: pool_mode = session).",
            )
        self._unheard += 1
        self._db.notify(CHANNEL)

    # The clock

    async def _hold(self, held: timedelta, leap: timedelta) -> tuple[timedelta, timedelta]:
        """Hold what the clock was put back by, and let go of it bit by bit; what is held now, and
        what is left of the leap."""
        seconds = self._passing()
        part, self._looked = timedelta(seconds=(seconds - self._looked) * LOSES), seconds
        if leap >= _NONE and held <= _NONE:
            return held, leap
        async with self._db.transaction() as tx:
            row = await tx.fetchrow(_sql.clock)
            assert row is not None
            held = row["held"]
            if leap != _NONE and self._pace.leap(row["now"]) != _NONE:
                return held, _NONE  # another server saw to it while we waited for the row
            # Put right again: what was held is let go of at once.
            change = -leap if leap < _NONE else -min(held, leap or part)
            await tx.execute(_sql.hold, held + change)
        self._pace.moved(change)
        return held + change, leap + change if leap + change > LEAP else _NONE

    # The disk

    def _low(self, known: Iterable[tuple[str, str]]) -> Iterator[Sign]:
        for folder in self._folders:
            space = shutil.disk_usage(folder)
            low = min(space.total * LOW_SHARE, LOW_BYTES)
            subject = self._disk(folder)
            if space.free < low * (1.2 if (subject, "DiskLow") in known else 1):
                yield Sign(
                    subject,
                    "DiskLow",
                    f"{space.free >> 20} of {space.total >> 20} MiB are left; when it is full,"
                    " nothing can be written until there is room",
                    "Make room on that disk, or make it larger. Skerry's own there: the blobs of"
                    " artifacts and images, and logs (--keep-logs, --log-share).",
                )


_STATES = ("ConnectionsExhausted", "NoticesLost", "DiskLow")
_INSTANTS = ("DatabaseRestarted", "ClockLeapt")


async def _raise(tx: Tx, sign: Sign) -> None:
    new = await alerts.raise_alert(
        tx, subject=sign.subject, reason=sign.reason, message=sign.message, remedy=sign.remedy
    )
    if new:
        _log.warning("alert", subject=sign.subject, reason=sign.reason, message=sign.message)


def _exhausted(name: str, patience: float) -> Sign:
    return Sign(
        name,
        "ConnectionsExhausted",
        f"no connection to Postgres came free within {patience:.0f} s; requests wait, and are"
        " answered 503 when they have waited too long",
        "Look in pg_stat_activity for what holds them: a query that runs for long, or a lock that"
        " many wait for. End it with pg_terminate_backend.",
    )


def _put_back(held: timedelta) -> Iterator[Sign]:
    if held > _NONE:
        yield Sign(
            "clock",
            "ClockPutBack",
            f"the clock of the database's machine was put back by {_words(held)}; Skerry's time"
            " goes on evenly, and is ahead of it until it has lost as much",
            "Keep that clock right by NTP, say with chrony: `chronyc tracking` tells how it is. The"
            " difference goes away by itself, by three minutes an hour.",
        )


def _leapt(leap: timedelta, before: datetime | None) -> Iterator[Sign]:
    if leap > _NONE and before is not None:
        yield Sign(
            "clock",
            "ClockLeapt",
            f"the clock of the database's machine leapt ahead by {_words(leap)} at"
            f" {before:%Y-%m-%d %H:%M:%S} UTC; none of that time is billed",
            "Keep that clock right by NTP, say with chrony: `chronyc tracking` tells how it is.",
        )


def _words(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 600 else f"{seconds} seconds"
