"""The server: puts the parts together.

``open_parts`` opens what every role needs (database, registry, keys); ``Server`` runs the tasks of
an all-in-one cloud in one event loop: sequencer, log, feed, worker, edge. Each task waits for its
own failures and goes on; what can't go on ends the process with its reason.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from skerry.api.app import build
from skerry.api.edge import Edge
from skerry.api.protocol import web_config
from skerry.api.routes import Routes
from skerry.identity.authenticate import Authenticator
from skerry.kernel import uploads
from skerry.kernel.changes import CHANNEL as CHANGES
from skerry.kernel.errors import Unavailable
from skerry.kernel.feed import Feed
from skerry.kernel.flows import Services
from skerry.kernel.kinds import Registry
from skerry.kernel.resources import Resources
from skerry.kernel.rows import watch_over
from skerry.kernel.sealing import Sealer
from skerry.kernel.sequencer import Sequencer
from skerry.kernel.vitals import Vitals
from skerry.kernel.worker import CHANNEL as FLOWS
from skerry.kernel.worker import Worker
from skerry.listening import secured
from skerry.proof.asking import Asking
from skerry.proof.log import Log
from skerry.proof.note import Signer, origin
from skerry.proof.witness import Witness
from skerry.settings import Settings
from skerry.sites.nodes import Node
from skerry.store import Blobs, Database
from skerry.store.election import Work, elected
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

_log = structlog.get_logger("server")
READY_SECONDS = 5.0
PATIENCE = 10.0
"""Seconds from a signal on that the database may take to answer those who are ending."""
_OPEN: set[Database] = set()


class Server:
    """An opened cloud. Use ``opened``; then ``run`` serves until cancelled."""

    def __init__(self, settings: Settings, db: Database, registry: Registry) -> None:
        self.settings = settings
        self.db = db
        self.registry = registry
        keys = settings.data / "keys"
        keys.mkdir(mode=0o700, exist_ok=True)
        watch_over(registry)
        with alone(keys):
            sealer = Sealer(keys / "seal.json")
            name = origin(settings.operator)
            signer = Signer.open(keys / "log.key", name)
            witness = Witness(Signer.open(keys / "witness.key", f"{name}/witness"))
        self.node = Node(settings.node, sorted(settings.roles))
        self.resources = Resources(registry, sealer, settings.region)
        self.blobs = Blobs(settings.data / "blobs")
        self.log = Log(db, settings.data / "log", signer)
        self.feed = Feed(db)
        self.services = Services(self.blobs, self.log, self.feed, settings, witness)
        self.services.add(db)
        self.authenticator = Authenticator(db)
        self.sequencer = Sequencer(db)
        me = f"{socket.gethostname()}:{settings.own}"
        self.worker = Worker(db, self.resources, self.services, name=me)
        self.resources.changed = lambda: db.notify(CHANGES)
        self.resources.woken = self._woken
        self.url = ""
        """Where clients reach the API."""
        self.address = ""
        """Where this process itself answers."""
        self.listening = asyncio.Event()
        self.tasks: list[Work] = [
            lambda: self.node.run(db),
            self.feed.run,
            self.authenticator.run,
            Vitals(db, me, [settings.data]).run,
        ]
        """What runs beside the edge. Packages above add theirs before ``run``."""
        self.duties: list[Work] = []
        """What one of all nodes does for all."""
        if "worker" in settings.roles:
            self.tasks += [self.sequencer.run, self.worker.run, self._elected]
            self.duties += [self.log.run, Asking(db, self.log).run]
            self.duties.append(lambda: uploads.run(db, self.blobs))

    async def _elected(self) -> None:
        await elected(self.db, "upkeep", self.duties)

    def _woken(self) -> None:
        self.worker.wake()
        self.db.notify(FLOWS)

    async def ready(self) -> None:
        """Whether requests can be served. Raises ``Unavailable``."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.db.fetchval("select 1")
        except TimeoutError:
            raise Unavailable("the database does not answer") from None

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            for task in self.tasks:
                group.create_task(task())
            if "api" in self.settings.roles:
                await self._serve(group)
            else:
                self.url = self.settings.public_url
            self.listening.set()

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        """Let the edge answer; returns once it does."""
        edge = Edge(
            db=self.db,
            resources=self.resources,
            services=self.services,
            feed=self.feed,
            authenticator=self.authenticator,
            routes=Routes(self.registry),
            public_url=self.settings.public_url,
        )
        app = build(edge, profile=self.settings.seca_errors, ready=self.ready)
        own = await secured(self.db, self.resources, self.settings)
        if own is not None:
            group.create_task(own.run(self.db))
        tls = own.server if own is not None else None
        web = _Web(web_config(app, self.settings.host, self.settings.port, tls))
        group.create_task(web.serve())
        await web.listening()
        port = web.servers[0].sockets[0].getsockname()[1]
        host = self.settings.host
        scheme = "https" if own else "http"
        self.address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self.url = self.settings.public_url or self.address


class _Web(uvicorn.Server):
    """uvicorn without its own signal handlers: ours end everything in order."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._decided = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn's way of saying that the address can't be had.
            self.should_exit = True
        finally:
            self._decided.set()

    async def listening(self) -> None:
        """Return once connections are taken. Raises OSError where the address can't be had."""
        await self._decided.wait()
        if not self.started:
            raise OSError(f"can't listen on {self.config.host}:{self.config.port}: is it in use?")

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Server]:
    """Start or reach Postgres, migrate, and open a server on it; closes all of it in order."""
    make_private(settings.data)
    async with contextlib.AsyncExitStack() as stack:
        url = settings.database_url
        postgres: EmbeddedPostgres | None = None
        if not url:
            postgres = EmbeddedPostgres(settings.data / "postgres", fsync=settings.fsync)
            url = await postgres.start()
            stack.push_async_callback(postgres.stop)
        await migrate(url)
        db = await Database.open(url, size=settings.connections)
        stack.push_async_callback(_close, db)
        _OPEN.add(db)
        stack.callback(_OPEN.discard, db)
        server = Server(settings, db, Registry.discover())
        if postgres is not None:
            server.tasks.insert(0, postgres.keep)
        yield server


async def _close(db: Database) -> None:
    try:
        async with asyncio.timeout(5):
            await db.close()
    except TimeoutError:
        db.terminate()


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """While no other node of this cloud is at it."""
    with open(directory / "lock", "wb", opener=partial(os.open, mode=0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_private(directory: Path) -> None:
    """A directory that only its owner may enter."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid == os.geteuid():
        directory.chmod(0o700)


async def until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until SIGTERM or SIGINT, then cancel it and wait for its end.

    Whoever is cancelled while the database answers nothing waits for it: to take back what it
    asked, and to roll back. After ``PATIENCE`` seconds it is cut off from all of them. A second
    signal changes nothing: it would leave behind what the first is about to end.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    signalled = False

    def end() -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            task.cancel()
            loop.call_later(PATIENCE, cut)

    def cut() -> None:
        for db in () if task.done() else _OPEN:
            _log.warning("the database does not answer: cut off from it")
            db.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await task
