"""Relays: how a node reaches a place whose connection another node holds.

A host's agent connects to one node, its *watcher*; flows, views and gateways run on all. A node
that holds contacts therefore listens for the others, and they call its drivers over one connection
each, in the same words as it calls the agent's (``remote``): a verb with the place behind it. Only
its own contacts are reached so, never what it would have to relay itself, so no call goes in
circles. When the holder dies the agent connects to another node, which becomes the watcher, and
calls go there as soon as the table says so; meanwhile the place is unreachable, as any other.

Both ends prove that they have the cloud's node key: one self-signed certificate in a file that all
nodes share, shown by both ends of a TLS 1.3 connection and compared byte by byte. Who has the file
is a node of the cloud; nobody else gets as far as a greeting.
"""

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from skerry import __version__
from skerry.durable import write_private
from skerry.sites.authority import LEEWAY, key_pem, new_key, self_signed
from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.fitting import Fit
from skerry.sites.greeting import Denied, Hello, Welcome, greet, introduce
from skerry.sites.hub import Contact, Hub
from skerry.sites.nodes import BEAT, CHANNEL, GONE, Node
from skerry.sites.places import called
from skerry.sites.remote import RemoteDriver, handlers, known
from skerry.sites.wire import SILENCE, Channel, Handler, Peer, WireFault
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.sites", "nodes.sql")
_log = structlog.get_logger("relay")
LIFE = dt.timedelta(days=3650)
HANDSHAKE = 5.0
PAUSE = 0.5
NODE = "node"
_LONGEST_LINE = 1 << 20


class NodeKey:
    """The file that makes a process a node: key and certificate, mode 0600."""

    def __init__(self, file: Path) -> None:
        """Made if it is not there. Raises ``ValueError`` for one that others can read."""
        if not file.exists():
            write_private(file, _new_key())
        if mode := file.stat().st_mode & 0o077:
            raise ValueError(f"{file} can be read by others ({mode:03o}): chmod 600 {file}")
        self._file = file
        self._pem = ssl.PEM_cert_to_DER_cert(_certificate(file.read_text()))

    def context(self, *, server: bool) -> ssl.SSLContext:
        """TLS 1.3 with whoever has the same file."""
        kind = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(kind)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # There is one certificate, whatever a node is called.
        context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(self._pem))
        context.load_cert_chain(self._file)
        return context

    def check(self, writer: asyncio.StreamWriter) -> None:
        """Raises ``Denied`` unless the other end has shown this very certificate."""
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if shown != self._pem:
            raise Denied("the other end is no node of this cloud")


def _certificate(text: str) -> str:
    begin = text.find("-----BEGIN CERTIFICATE-----")
    if begin < 0:
        raise ValueError("the file of the node key holds no certificate")
    return text[begin:]


def _new_key() -> str:
    key, now = new_key(), dt.datetime.now(dt.UTC)
    builder = self_signed("Skerry node", key, now - LEEWAY, now + LIFE)
    made = builder.sign(key, hashes.SHA256())
    return key_pem(key) + made.public_bytes(Encoding.PEM).decode()


class _Local(Mapping[str, Handler]):
    """What other nodes may call here: verbs of the places that this one has contact with."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._made: WeakKeyDictionary[Contact, dict[str, Handler]] = WeakKeyDictionary()

    def __getitem__(self, method: str) -> Handler:
        verb, _, at = method.partition(" ")
        contact = self._hub.contact(at)
        if contact is None or not contact.ours:
            return _away(at)
        if contact not in self._made:
            self._made[contact] = handlers(contact.driver)
        return self._made[contact][verb]

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _away(at: str) -> Handler:
    async def answer(channel: Channel, body: bytes) -> bytes:
        raise SiteUnreachable(f"{called(at)} is not connected to this node")

    return answer


class RelayedDriver(RemoteDriver):
    """A place's driver by way of the node that holds its connection."""

    def __init__(self, peer: Peer, at: str, fit: Fit) -> None:
        self._peer, self._at, self._fit = peer, at, fit
        self._near = False  # what is an address over there means nothing here
        self.correction = timedelta(0)  # the holder has put the times right

    def _open(self, verb: str, *args: Any) -> Channel:
        return self._called(f"{verb} {self._at}", verb, args)

    async def close(self) -> None:
        """The connection is of all places there."""


@dataclass(eq=False)
class _Way:
    """The connection to one node, while it stands."""

    task: asyncio.Task[None]
    peer: Peer | None = None
    fit: Fit = field(default_factory=lambda: Fit("", (), {}))
    drivers: dict[str, RelayedDriver] = field(default_factory=dict)


class Relays:
    """This node's ways to the others. ``driver`` is for the hub; ``run`` keeps them."""

    def __init__(self, db: Database, hub: Hub, node: Node, key: NodeKey) -> None:
        self._db = db
        self._hub = hub
        self._node = node
        self._key = key
        self._routes: dict[str, str] = {}
        self._ways: dict[str, _Way] = {}
        hub.elsewhere = self.driver

    def driver(self, at: str) -> Workloads | None:
        """The place's driver at another node; None if no node is known to have it."""
        way = self._ways.get(self._routes.get(at, ""))
        if way is None or way.peer is None:
            return None
        if at not in way.drivers:
            way.drivers[at] = RelayedDriver(way.peer, at, way.fit)
        return way.drivers[at]

    @asynccontextmanager
    async def listening(self, host: str, port: int, name: str = "") -> AsyncIterator[None]:
        """Take other nodes' connections while the block runs; ``name`` is what they are told.
        Raises ``OSError``."""
        serving: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
            serving.add(task)
            task.add_done_callback(serving.discard)

        server = await asyncio.start_server(
            connected, host, port, ssl=self._key.context(server=True),
            ssl_handshake_timeout=HANDSHAKE, limit=_LONGEST_LINE,
        )  # fmt: skip
        port, name = server.sockets[0].getsockname()[1], name or host
        self._node.relay = f"{f'[{name}]' if ':' in name else name}:{port}"
        try:
            yield
        finally:
            self._node.relay = ""
            server.close()
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def check(hello: Hello) -> None:
            self._key.check(writer)

        try:
            able = Welcome(version=__version__, verbs=_VERBS, knows=known())
            hello = await greet(reader, writer, check, able=able)
            _log.info("node connected", node=hello.site, version=hello.version)
            await Peer(reader, writer, _Local(self._hub), opened=False).run()
        except (Denied, WireFault, TimeoutError, OSError) as error:
            _log.warning("node not taken", error=f"{type(error).__name__}: {error}")
        finally:
            writer.close()

    async def run(self) -> None:
        """Know who holds what, and keep the ways there, until cancelled."""
        told = asyncio.Event()
        await self._db.listen(CHANNEL, told.set)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    told.clear()
                    try:
                        await self._look(group)
                    except DATABASE_ERRORS as error:
                        _log.warning("nodes not looked at", error=str(error))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(BEAT):
                            await told.wait()
        finally:
            self._routes = {}

    async def _look(self, group: asyncio.TaskGroup) -> None:
        rows = await self._db.fetch(_sql.routes, self._node.id, GONE)
        self._routes = {row["at"]: row["id"] for row in rows}
        reached = {row["id"]: row["relay"] for row in rows}
        for id in set(self._ways) - set(reached):
            self._ways.pop(id).task.cancel()
        for id, address in reached.items():
            if id not in self._ways:
                task = group.create_task(self._keep(id, address))
                self._ways[id] = _Way(task)

    async def _keep(self, id: str, address: str) -> None:
        """Stay connected with a node for as long as it holds something."""
        said = ""
        while True:
            try:
                await self._connect(id, address)
                said = ""
            except (Denied, WireFault, TimeoutError, OSError) as error:
                words = f"{type(error).__name__}: {error}"
                if words != said:
                    _log.warning("node not reached", node=address, error=words)
                said = words
            await asyncio.sleep(PAUSE)

    async def _connect(self, id: str, address: str) -> None:
        host, _, port = address.rpartition(":")
        async with asyncio.timeout(HANDSHAKE):
            reader, writer = await asyncio.open_connection(
                host.strip("[]"), int(port), ssl=self._key.context(server=False),
                limit=_LONGEST_LINE,
            )  # fmt: skip
        try:
            self._key.check(writer)
            hello = Hello(self._node.id, "", __version__, NODE)
            welcome = await introduce(reader, writer, hello)
            way = self._ways[id]
            way.fit = Fit.of(welcome.version, welcome.protocol, welcome.verbs, welcome.knows)
            way.drivers, way.peer = {}, Peer(reader, writer, {}, opened=True, silence=SILENCE)
            try:
                why = await way.peer.run()
                _log.info("way to a node ended", node=address, why=why)
            finally:
                way.peer = None
        finally:
            writer.transport.abort()


class _Any:
    """A driver of no place: to know its verbs by."""


_VERBS = tuple(handlers(_Any()))  # type: ignore[arg-type]
