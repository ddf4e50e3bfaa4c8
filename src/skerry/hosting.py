"""Machines that join: the door that ``skerry up`` opens to them, and ``skerry site join``."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from skerry.server import Server
from skerry.sites.authority import Authority
from skerry.sites.door import Door
from skerry.sites.hub import Hub

TOKEN = "SKERRY_JOIN_TOKEN"  # noqa: S105 - a variable's name
UNIT = Path("/etc/systemd/system/skerry-agent.service")
_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - to tell that no name follows from it


def names_of(agents: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """By which names hosts reach the server. Raises ``ValueError`` where they must be told."""
    host = agents.rpartition(":")[0].strip("[]")
    if not names and host in _ANYWHERE:
        raise ValueError(
            f"--agents {agents} is every address of this machine: say by which name or address "
            "hosts reach it, with --agents-name"
        )
    return names or (host,)


@asynccontextmanager
async def door(server: Server, hub: Hub) -> AsyncIterator[str]:
    """Take hosts while the block runs, if the settings say so; where they reach us."""
    settings = server.settings
    if not settings.agents:
        yield ""
        return
    host, _, port = settings.agents.rpartition(":")
    authority = Authority(settings.data / "keys" / "hosts")
    names = names_of(settings.agents, settings.agents_name)
    made = Door(server.db, server.resources, hub, authority, names, server.node)
    async with made.open(host.strip("[]"), int(port)):
        yield made.address


def default_host_data() -> Path:
    """``/var/lib/skerry-host`` for root, the XDG data directory for anyone else."""
    if os.geteuid() == 0:
        return Path("/var/lib/skerry-host")
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "skerry-host"


@click.command()
@click.argument("url", metavar="HOST:PORT")
@click.option(
    "--token",
    "given",
    metavar="-|@FILE|TOKEN",
    help=f"The token to join by; without it, ${TOKEN} or standard input",
)
@click.option("--name", default="", help="The host's name  [default: this machine's]")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_host_data,
    show_default="/var/lib/skerry-host, or below your home",
    help="Where the host keeps everything",
)
@click.option("--install-service", is_flag=True, help="Run it by systemd, now and at each start")
@click.option("--no-run", is_flag=True, help="Join, and leave starting the agent to others")
def join(
    url: str, given: str | None, name: str, data: Path, install_service: bool, no_run: bool
) -> None:
    """Make this machine a host of a site, and run its agent.

    The token comes from `skerry site invite SITE`. It is good once. A token on the command line can
    be seen by others on this machine while this runs; standard input can't.
    """
    from skerry.sites import agent, joining

    data = data.absolute()
    try:
        if install_service:
            _need_systemd()
        token = _token(given)
        wanted = name or joining.own_name(socket.gethostname())
        membership = asyncio.run(joining.join(url, token, wanted, data))
    except (OSError, joining.NotJoined) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"Joined as {membership.place.at}. Everything is kept in {data}.", err=True)
    if no_run:
        click.echo(f"Run the agent with: skerry agent --data {data}", err=True)
        return
    if install_service:
        _install(data)
        return
    click.echo("The agent runs; Ctrl-C ends it, and what runs here goes on.", err=True)
    sys.exit(agent.main(["--data", str(data)]))


def _token(given: str | None) -> str:
    if given is None and (found := os.environ.pop(TOKEN, "")):
        return found
    if given is None or given == "-":
        if sys.stdin.isatty():
            return str(click.prompt("Token", hide_input=True, err=True))
        return sys.stdin.readline().strip()
    return Path(given[1:]).read_text().strip() if given.startswith("@") else given


def _need_systemd() -> None:
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        raise click.ClickException(
            "systemd does not run here: leave out --install-service, and let whatever starts "
            "services here run: skerry agent --data DIR"
        )


def _install(data: Path) -> None:
    """Write the unit and start it."""
    UNIT.write_text(
        "[Unit]\nDescription=Skerry host agent\nAfter=network-online.target\n"
        "Wants=network-online.target\n\n[Service]\n"
        f"ExecStart={sys.executable} -m skerry.sites.agent --data {data}\n"
        # What runs outlives the agent: only the agent itself is to be ended with it.
        "KillMode=process\nDelegate=yes\nRestart=always\nRestartSec=5\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    for words in (("daemon-reload",), ("enable", "--now", UNIT.name)):
        done = subprocess.run(("systemctl", *words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"systemctl {words[0]}: {done.stderr.strip()}")
    with contextlib.suppress(BrokenPipeError):
        click.echo(f"The agent runs as {UNIT.name}.", err=True)
