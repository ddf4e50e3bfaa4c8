"""``skerry serve``: one node of a cloud that has many.

All nodes share a Postgres and a directory. In the directory are the keys (of sealed fields, of the
log, of hosts, and of nodes among themselves), the blobs, and the log's tiles; below ``nodes/NAME``
each has a corner of its own. Nothing else is shared, and no node knows of another before it reads
the table ``node``.

- ``api`` answers HTTP. Any number of them, behind whatever balances load.
- ``worker`` runs flows. Hosts connect to workers, so each opens a door of its own (``--agents``)
  and relays calls for the other nodes (``sites.relay``). One of the workers is elected to write
  the log, to settle each minute, to keep offers and to clear up (``store.election``); positions in
  the feed are given by whichever holds that lock at the moment.
- ``gateway`` answers routes, and spools what it counts in its own corner.

Any node may die at any moment. What it was doing is leased, and others go on when the lease has run
out; hosts that were connected to it connect to another door, of which they are told.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click

from skerry import commands
from skerry.gateway.options import take
from skerry.lines import configure_log
from skerry.listening import check as check_listeners
from skerry.notices.options import NAMES, take_notices
from skerry.settings import ALL_ROLES, Settings

_FROM_UP = (
    "data", "listen", "insecure_http", "token_file", "database_url", "operator", "region", "zone",
    "prices", "agents", "agents_name", "keep_samples", "keep_history", "keep_logs", "log_share",
    "seca_errors", "log_file", "verbose", "tls_cert", "tls_key", "tls_ca", "tls_names",
    *NAMES,
)  # fmt: skip
_NAME = re.compile(r"[a-zA-Z0-9][-.a-zA-Z0-9]{0,62}")


def _own_name() -> str:
    return socket.gethostname()


@click.command(context_settings={"show_default": True})
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(sorted(ALL_ROLES)),
    show_default="all",
    help="What this node does; may be repeated",
)
@click.option(
    "--name",
    default=_own_name,
    show_default="this machine's",
    help="The node's name: no two that share the directory have the same",
)
@click.option(
    "--public-url",
    default="",
    metavar="URL",
    show_default="where this node listens",
    help="Where clients reach the API, in front of all nodes",
)
@click.option(
    "--relay",
    default="127.0.0.1:0",
    metavar="HOST:PORT|none",
    help="Where other nodes reach this one, if it is a worker, over mutual TLS",
)
@click.option("--connections", default=12, type=click.IntRange(4, 200), help="To Postgres, at most")
def serve(**given: Any) -> None:
    """Run one node of a cloud of many, on a Postgres that all of them share."""
    log_file: Path | None = given.pop("log_file")
    verbose, insecure = given.pop("verbose"), given.pop("insecure_http")
    given["data"], given["node"] = given["data"].absolute(), given.pop("name")
    given["roles"] = frozenset(given["roles"] or ALL_ROLES)
    given["relay"] = "" if given["relay"] == "none" else given["relay"]
    gateway, retention = take(given), commands._retention(given)
    settings = Settings(
        agent=False, gateway=gateway, retention=retention, notices=take_notices(given), **given
    )
    _check(settings, insecure)
    configure_log(log_file, verbose)
    commands._run(_serve(settings))


def _check(settings: Settings, insecure: bool) -> None:
    """End in words where this can't be."""
    if not settings.database_url:
        raise click.UsageError(
            "nodes share a Postgres: name it by --database-url or DATABASE_URL. "
            "For a cloud on one machine: skerry up"
        )
    if not _NAME.fullmatch(settings.node):
        raise click.UsageError(f"{settings.node!r} can't be a node's name: a-z, 0-9, - and .")
    if settings.agents and "worker" not in settings.roles:
        raise click.UsageError("--agents is for workers: hosts connect to them")
    if "gateway" in settings.roles and "api" not in settings.roles and not settings.public_url:
        raise click.UsageError("a gateway without the API needs --public-url: people sign in there")
    if settings.agents:
        from skerry.hosting import names_of

        try:
            names_of(settings.agents, settings.agents_name)
        except ValueError as problem:
            raise click.UsageError(str(problem)) from None
    check_listeners(settings, insecure=insecure)


async def _serve(settings: Settings) -> None:
    from skerry import up as parts
    from skerry.hosting import door
    from skerry.server import make_private, opened, until_signalled
    from skerry.sites.relay import Relays

    async def work() -> None:
        async with AsyncExitStack() as stack:
            make_private(settings.data)
            stack.enter_context(claimed(settings.own))
            server = await stack.enter_async_context(opened(settings))
            hub = parts.equip(server)
            made = await parts.bootstrap(server) if "api" in settings.roles else parts.Made(None)
            if settings.relay and "worker" in settings.roles:
                host, _, port = settings.relay.rpartition(":")
                relays = server.services[Relays]
                await stack.enter_async_context(relays.listening(host.strip("[]"), int(port)))
            hosts = await stack.enter_async_context(door(server, hub))

            async def begin() -> None:
                await server.listening.wait()
                gateway = await parts.gateway_listens(server)
                if "api" in settings.roles:
                    await parts.place(server)
                await parts.announce(server)
                _say(settings, server.address, gateway, hosts)
                if made.token is not None:
                    commands._hand_over(made.token, settings)

            async with asyncio.TaskGroup() as group:
                group.create_task(begin())
                group.create_task(server.run())

    try:
        await until_signalled(work())
    finally:
        parts.withdraw(settings.own)


def _say(settings: Settings, url: str, gateway: str, hosts: str) -> None:
    said = [f"Node {settings.node} is up: {', '.join(sorted(settings.roles))}."]
    said += [f"  API      {url}"] if url else []
    said += [f"  Gateway  {gateway.replace('://', '://*.', 1)}"] if gateway else []
    said += [f"  Hosts    {hosts}"] if hosts else []
    click.echo("\n".join(said), err=True)


@contextlib.contextmanager
def claimed(own: Path) -> Iterator[None]:
    """Hold the node's corner. Raises ``OSError`` if another process has it."""
    for folder in (own.parent, own):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (own / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(
                f"a node named {own.name!r} runs on {own.parent.parent} already: give this one "
                "another --name"
            ) from None
        lock.truncate(0)
        lock.write(f"{socket.gethostname()} {os.getpid()}\n".encode())
        lock.flush()
        yield


serve.params += [
    param
    for param in commands.up.params
    if param.name in _FROM_UP or str(param.name).startswith("gateway_")
]
COMMANDS: dict[str, click.Command] = {"serve": serve}
