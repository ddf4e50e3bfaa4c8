"""The hub: the driver of every place, in this process.

A place is known as ``at``: the site's name, or ``site/host`` for a host that joined a site. One
whose host runs an agent is here while the agent's connection stands: the agent calls us, says which
place it speaks for and proves it. A later connection of the same place supersedes the earlier one,
for a host that lost its network is back before its old connection has timed out. Other sites are
opened in process, from their manifest and ``spec.config``.

``driver`` is all that flows and views need. With several server processes, an agent is connected
to one of them, and a site in process lives in one; the others reach it there (``relay``).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from skerry.sites import drivers, tokens
from skerry.sites.clocks import Offset
from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.fitting import Fit
from skerry.sites.greeting import Denied, Hello, greet
from skerry.sites.places import called
from skerry.sites.remote import RemoteDriver
from skerry.sites.sockets import short_name
from skerry.sites.wire import SILENCE, Handler, WireFault
from skerry.store import DATABASE_ERRORS, Database

_log = structlog.get_logger("hub")
MOST_GREETING = 64
"""Connections that may be unproved at once; more wait."""


@dataclass(frozen=True)
class Known:
    """Who an agent turned out to be."""

    at: str
    serial: str = ""
    """Of its certificate, where it has one."""
    near: bool = True
    """Whether it is on this machine."""
    renew_in: float = 0.0
    """Seconds until it should renew its certificate."""
    services: Mapping[str, Handler] = field(default_factory=dict)
    """What it may ask of us."""


Check = Callable[[Hello], Awaitable[Known]]
"""Says who an agent is. Raises ``Denied``."""


@dataclass(eq=False)
class Contact:
    """One connection to a place, from when it stands until it ends."""

    at: str
    driver: Workloads
    remote: bool
    agent_version: str = ""
    boot_id: str = ""
    serial: str = ""
    """Of the certificate by which it is known, if it is by one."""
    clock: Offset | None = None
    """How far the host's clock is off, as far as is known."""
    clock_noted: str = ""
    """What was written down of that."""
    ours: bool = True
    """False: open here, and another process has the place."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Holds the contacts. Nothing runs by itself but the connections served."""

    def __init__(self, db: Database, silence: float = SILENCE) -> None:
        self._db = db
        self._silence = silence
        self._contacts: dict[str, Contact] = {}
        self._arrived: dict[str, asyncio.Event] = {}
        self._greeting = asyncio.Semaphore(MOST_GREETING)
        self.elsewhere: Callable[[str], Workloads | None] | None = None
        """The driver of a place that another process has, if that is known."""

    def driver(self, at: str) -> Workloads:
        """The place's driver. Raises ``SiteUnreachable`` while there is no contact."""
        contact = self._contacts.get(at)
        if contact is not None and contact.ours:
            return contact.driver
        found = self.elsewhere(at) if self.elsewhere is not None else None
        if found is None:
            raise SiteUnreachable(f"{called(at)} is not connected")
        return found

    def contact(self, at: str) -> Contact | None:
        """The place's contact, if it has one now."""
        return self._contacts.get(at)

    def contacts(self) -> tuple[Contact, ...]:
        """All that are ours now."""
        return tuple(contact for contact in self._contacts.values() if contact.ours)

    def renewed(self, at: str, serial: str) -> None:
        """The place's agent has a new certificate, and is known by it from now on."""
        contact = self._contacts.get(at)
        if contact is not None:
            contact.serial = serial

    async def wait(self, at: str) -> Contact:
        """The place's contact, as soon as it has one."""
        while (contact := self._contacts.get(at)) is None:
            await self._arrived.setdefault(at, asyncio.Event()).wait()
        return contact

    # In process

    def open(self, site: str, driver: str, config: Mapping[str, Any], *, ours: bool = True) -> None:
        """Open a site that no agent speaks for, in place of what was open of it. It is used
        here only while it is ``ours``.

        Raises ``Refused`` or ``SiteUnreachable`` where the driver can't be opened; ``LookupError``
        for a driver that is not there.
        """
        manifest = drivers.discover()[driver]
        if manifest.remote:
            raise LookupError(f"driver {driver!r} runs on its host: its agent connects to us")
        self._add(Contact(site, drivers.open_driver(manifest, config), remote=False, ours=ours))

    async def close(self, at: str) -> None:
        """End the contact with a place, if there is one."""
        contact = self._contacts.get(at)
        if contact is not None:
            await self.end(contact)

    async def close_all(self) -> None:
        for at in tuple(self._contacts):
            await self.close(at)

    def _add(self, contact: Contact) -> Contact | None:
        """Make it the place's contact; the answer is the one it supersedes."""
        before = self._contacts.get(contact.at)
        self._contacts[contact.at] = contact
        arrived = self._arrived.pop(contact.at, None)
        if arrived is not None:
            arrived.set()
        return before

    async def end(self, contact: Contact) -> None:
        """End this contact, whether or not it is the place's last."""
        if self._contacts.get(contact.at) is contact:
            del self._contacts[contact.at]
        contact.ended.set()
        await contact.driver.close()

    # Agents

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """Take agents' connections on a Unix socket while the block runs.

        The directory must be ours alone (0700): the socket is as open as its directory.
        """
        serving: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self.serve(reader, writer))
            serving.add(task)
            task.add_done_callback(serving.discard)

        with short_name(path) as name:
            server = await asyncio.start_unix_server(connected, name)
            try:
                yield
            finally:
                server.close()
                for task in serving:
                    task.cancel()
                await asyncio.gather(*serving, return_exceptions=True)

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        check: Check | None = None,
    ) -> None:
        """Serve one connection, whatever it turns out to be, until it ends. ``check`` says who it
        is; without one, its token does."""
        found: list[tuple[Known, Offset | None]] = []

        async def checked(hello: Hello) -> float:
            known = await (check or self._check)(hello)
            clock = await self._offset(hello.clock, 0.0) if hello.clock else None
            found.append((known, clock))
            return known.renew_in

        try:
            async with self._greeting:
                hello = await greet(reader, writer, checked, self._silence)
        except Denied as denied:
            _log.warning("agent not taken", reason=str(denied))
        except (WireFault, TimeoutError, OSError) as error:
            _log.info("no agent", error=f"{type(error).__name__}: {error}")
        else:
            await self._serve(reader, writer, hello, *found[0])
        finally:
            writer.close()

    async def _check(self, hello: Hello) -> Known:
        with checking():
            known = await tokens.holds(self._db, hello.site, hello.token)
        if not known:
            raise Denied(f"this is not a valid token of a site {hello.site[:64]!r}")
        return Known(hello.site)

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hello: Hello,
        known: Known,
        clock: Offset | None,
    ) -> None:
        driver = RemoteDriver(
            reader,
            writer,
            fit=Fit.of(hello.version, hello.protocol, hello.verbs, hello.knows),
            near=known.near,
            silence=self._silence,
            services=known.services,
        )
        contact = Contact(known.at, driver, True, hello.version, hello.boot_id, known.serial)
        _put_right(contact, driver, clock)
        before = self._add(contact)
        if before is not None:
            _log.info("agent is back before its old connection ended", at=known.at)
            await self.end(before)
        _log.info("agent connected", at=known.at, version=hello.version)
        try:
            reason = await driver.run()
            _log.info("agent gone", at=known.at, reason=reason)
        finally:
            await self.end(contact)

    # Clocks

    async def compare_clock(self, contact: Contact) -> None:
        """See how far the host's clock is off, so that the times it reports are put right."""
        driver = contact.driver
        if isinstance(driver, RemoteDriver):
            loop = asyncio.get_running_loop()
            asked = loop.time()
            theirs = await driver.clock()
            if theirs is not None:
                _put_right(contact, driver, await self._offset(theirs, loop.time() - asked))

    async def _offset(self, theirs: float, took: float) -> Offset | None:
        """How far off a host's clock is that it read at most ``took`` seconds ago; None if the
        database can't be asked for the time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            ours = await self._db.fetchval("select skerry_now()")
        except DATABASE_ERRORS:
            return None
        took += loop.time() - began
        return Offset.measured(theirs, ours - timedelta(seconds=took), took)


def _put_right(contact: Contact, driver: RemoteDriver, clock: Offset | None) -> None:
    if clock is not None:
        contact.clock = clock
        driver.correction = clock.correction


@contextlib.contextmanager
def checking() -> Iterator[None]:
    """While we ask the database who somebody is: a failure is no verdict on them."""
    try:
        yield
    except DATABASE_ERRORS as error:
        _log.warning("agent not checked", error=f"{type(error).__name__}: {error}")
        raise Denied("the server can't check who you are just now; try again") from error
