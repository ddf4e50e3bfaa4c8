"""One command, one cloud: what ``skerry up`` makes and starts.

On the first start it makes the operator, a region, this machine as a site, a price list and a
workspace to work in; later starts find them. The host agent is a child of its own, so that the
server needs no privilege it does not have already; when the server ends, the agent ends, and what
runs goes on.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import structlog

from skerry.durable import write_private
from skerry.gateway.gateway import Gateway, through
from skerry.gateway.settings import GatewaySettings
from skerry.identity.bootstrap import first_operator, operator_token
from skerry.kernel import paths
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.kernel.paths import Path as At
from skerry.kernel.resources import Resources
from skerry.kernel.vitals import Pace
from skerry.ledger import holds, price_lists
from skerry.ledger.settler import Exhausted, OnExhausted, Settler
from skerry.logfile import LIMIT, turn
from skerry.market.leases import Market
from skerry.market.queues.hand import Hand
from skerry.notices.office import Office
from skerry.series import Recorder
from skerry.server import Server, alone
from skerry.settings import Settings
from skerry.sites import tokens
from skerry.sites.business import Business
from skerry.sites.devices import Idle
from skerry.sites.hub import Hub
from skerry.sites.kinds import ensure_region
from skerry.sites.observer import Observer
from skerry.sites.relay import NodeKey, Relays
from skerry.sites.sampler import Sampler
from skerry.store import Tx

_log = structlog.get_logger("up")
WORKSPACE = "default"
SOCKET = "agent.sock"
FIRST = "select pg_advisory_xact_lock(hashtextextended('skerry bootstrap', 0))"
"""Nodes that start at once take turns."""
AGENT_CONFIG = "agent.json"
"""What an operator sets of this machine's driver beyond its defaults, if the file is there."""


@dataclass(frozen=True)
class Made:
    """What was made for the caller to know. ``token`` is there on the first start only."""

    token: str | None
    tenant: str = OPERATOR_TENANT
    workspace: str = WORKSPACE


def equip(server: Server) -> Hub:
    """Add what places, meters and bills work to a server."""
    hub = Hub(server.db)
    market = Market.of(server.resources)
    stops = stopping(server.resources)
    settler = Settler(server.db, resources=server.resources, on_exhausted=stops)
    recorder = Recorder(server.db, server.settings.retention)
    for service in (hub, market, settler, recorder):
        server.services.add(service)
    with alone(server.settings.data / "keys"):
        key = NodeKey(server.settings.data / "keys" / "node.pem")
    relays = Relays(server.db, hub, server.node, key)
    server.services.add(relays)
    server.tasks += [recorder.run, relays.run]
    roles = server.settings.roles
    if "worker" in roles:
        business = Business(server.db, server.resources)
        observer = Observer(
            server.db,
            server.resources,
            hub,
            on_capacity=business.offered,
            me=server.node.id,
            pace=Pace,
        )
        server.tasks += [observer.run, Sampler(server.db, hub, recorder).run]
        office = Office(
            server.db,
            server.resources,
            server.settings.notices,
            operator=server.settings.operator,
            url=lambda: server.url,
        )
        hand = Hand(server.db, server.resources)
        idle = Idle(server.db, server.resources)
        server.duties += [business.run, settler.run, office.run, hand.run, idle.run]
    if roles & {"api", "worker"}:
        server.tasks.append(lambda: market.run(server.db))
    if server.settings.gateway is not None and "gateway" in roles:
        gateway = _gateway(server, hub, server.settings.gateway)
        server.services.add(gateway)
        server.services.add(gateway.access)
        server.tasks.append(gateway.run)
    return hub


def _gateway(server: Server, hub: Hub, settings: GatewaySettings) -> Gateway:
    gateway = Gateway(
        db=server.db,
        resources=server.resources,
        feed=server.feed,
        authenticator=server.authenticator,
        dial=through(hub),
        settings=settings,
        folder=server.settings.own / "gateway",
        operator=server.settings.operator,
        sign_in=lambda: f"{server.url}/enter",
    )
    server.services[Recorder].add(f"gateway/{gateway.name}", gateway.requests)
    return gateway


async def gateway_listens(server: Server) -> str:
    """Wait until routes are reached; where. Empty: there is no gateway."""
    if server.settings.gateway is None or "gateway" not in server.settings.roles:
        return ""
    gateway = server.services[Gateway]
    await gateway.listening.wait()
    return gateway.url


def stopping(resources: Resources) -> OnExhausted:
    """For the settler: tell the flow that a lease serves that its money ends. What has no flow, as
    a route, has an owner whose own lease ends with the same money."""

    async def tell(tx: Tx, over: Exhausted) -> None:
        hold = await holds.get(tx, over.lease)
        await resources.intend(tx, hold.resource_uid, "exhausted")

    return tell


async def bootstrap(server: Server) -> Made:
    """Make what a new cloud needs; on a cloud that has it, change nothing."""
    async with server.db.transaction() as tx:
        await tx.execute(FIRST)
        await _load_prices(tx, server.settings)
        token = await first_operator(tx, server.resources)
        if token is not None:
            await _put(tx, server, "workspace", At(OPERATOR_TENANT, name=WORKSPACE), {})
    if server.settings.token_file is not None:
        await _token_for_scripts(server, server.settings.token_file, token)
    return Made(token)


async def _load_prices(tx: Tx, settings: Settings) -> None:
    if settings.prices is not None:
        text = await asyncio.to_thread(settings.prices.read_text, "utf-8")
        await price_lists.load(tx, text, name=str(settings.prices))
    elif not await price_lists.all_lists(tx):
        await price_lists.load(tx, price_lists.shipped())


async def _token_for_scripts(server: Server, file: Path, first: str | None) -> None:
    """Keep a token in the file, mode 0600; a file that is there is left alone."""
    if file.exists():
        return
    token = first
    if token is None:
        async with server.db.transaction() as tx:
            token = await operator_token(
                tx, server.resources, "operator.file", f"For scripts, in {file.name}"
            )
    await asyncio.to_thread(write_private, file, token + "\n")


async def place(server: Server) -> str:
    """Write region and site as the settings say, once the server's own address is known; answers
    the token for the site's agent."""
    s = server.settings
    async with server.db.transaction() as tx:
        await tx.execute(FIRST)
        known = await server.resources.find(
            tx, server.resources.ref(server.registry["region"], At(name=s.region))
        )
        if known is None or s.public_url or not s.node:  # one of many speaks for none but itself
            await ensure_region(tx, server.resources, s.region, [s.zone], server.url)
        if not s.agent:
            return ""
        spec: dict[str, Any] = {
            "driver": "local",
            "region": s.region,
            "zone": s.zone,
            "jurisdiction": s.jurisdiction,
            "operator": s.operator,
        }
        await _put(tx, server, "site", At(name=s.zone), spec)
        return await tokens.issue(tx, s.zone)


async def _put(tx: Tx, server: Server, noun: str, at: At, spec: dict[str, Any]) -> None:
    """Put unless it is so already."""
    kind = server.registry[noun]
    current = await server.resources.find(tx, paths.ref_of(kind, at))
    if current is None or current.spec != spec:
        await server.resources.put(tx, kind, at, {"spec": spec}, SYSTEM)


@asynccontextmanager
async def agent(server: Server, token: str) -> AsyncIterator[None]:
    """Run this machine's host agent as a child, start it again if it dies, end it at the end."""
    data = server.settings.data
    token_file = data / "keys" / "agent.token"
    write_private(token_file, token)
    command = [
        sys.executable, "-m", "skerry.sites.agent", "--server", f"unix:{data / SOCKET}",
        "--token-file", str(token_file), "--data", str(data / "agent"), "--site",
        server.settings.zone, "--with-parent", str(os.getpid()),
    ]  # fmt: skip
    if (more := data / AGENT_CONFIG).exists():
        command += ["--config", str(more)]
    keeper = asyncio.get_running_loop().create_task(_keep(command, data / "agent.log"))
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _keep(command: list[str], log: Path) -> None:
    pause = 0.5
    while True:
        if log.exists() and log.stat().st_size > LIMIT:
            turn(log)
        with log.open("ab") as stream:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        began = asyncio.get_running_loop().time()
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if asyncio.get_running_loop().time() - began > 60:
            pause = 0.5
        _log.warning("host agent ended, starting it again", code=code, log=str(log))
        await asyncio.sleep(pause)
        pause = min(pause * 2, 10.0)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def describe(server: Server) -> dict[str, Any]:
    """What stands in ``server.json`` for others on this machine."""
    s = server.settings
    told: dict[str, Any] = {"pid": os.getpid(), "data": str(s.data)}
    if "api" in s.roles:
        told["url"] = server.address
    if s.gateway is not None and "gateway" in s.roles:
        told["gateway"] = server.services[Gateway].url
    return told


async def announce(server: Server) -> None:
    """Write ``server.json``: where this cloud answers, while it runs."""
    text = msgspec.json.encode(describe(server)).decode()
    await asyncio.to_thread(write_private, server.settings.own / "server.json", text)


def withdraw(data: Path) -> None:
    """Take ``server.json`` back, if it is this process that it tells of."""
    file = data / "server.json"
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        if msgspec.json.decode(file.read_bytes()).get("pid") == os.getpid():
            file.unlink()
