"""The commands that are the server: ``up``, ``down``, ``agent``, ``audit``, ``doctor``.

The command line finds them here by name and imports this module only when one is called.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import uvloop

from skerry.api.console import HOME, built
from skerry.api.problems import PROFILES
from skerry.cli.commands.auditlog import event, log
from skerry.cli.commands.audits import export, show
from skerry.client import config as contexts
from skerry.client.errors import BadSetting
from skerry.client.units import parse_bytes, parse_seconds
from skerry.doctor.command import doctor
from skerry.durable import write_private
from skerry.gateway.options import gateway_options, take
from skerry.lines import configure_log
from skerry.listening import CA_FILE, tls_options
from skerry.listening import check as check_listeners
from skerry.notices.options import notice_options, take_notices
from skerry.series.retention import Retention
from skerry.settings import DEFAULT_LISTEN, Settings, default_data
from skerry.store.errors import StoreError

CONTEXT = "local"
FIRST_TOKEN = "operator.token"  # noqa: S105 - a file's name


def _say(text: str = "") -> None:
    click.echo(text, err=True)


def _fail(message: str, hint: str = "") -> None:
    _say(f"error: {message}")
    if hint:
        _say(f"hint: {hint}")
    sys.exit(1)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to its end; what a person can mend is said in words, not as a stack trace."""
    problem: BaseException | None = None
    try:
        uvloop.run(work)
    except* _mendable() as group:
        # Leaving from in here would be one more error in the group.
        problem = _first(group)
    if problem is not None:
        _fail(str(problem), getattr(problem, "hint", ""))


def _mendable() -> tuple[type[Exception], ...]:
    """What a person can mend: also what a database says that is another than was meant."""
    import asyncpg

    return (
        StoreError,
        OSError,
        ValueError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.UndefinedTableError,
        asyncpg.PostgresConnectionError,
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _listen(ctx: click.Context, param: click.Parameter, value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter("write HOST:PORT, such as 127.0.0.1:8420")
    return value


def _retention(given: dict[str, Any]) -> Retention:
    """How long series and logs are kept, out of the command's options."""
    try:
        share = parse_bytes(given.pop("log_share"))
        times = {
            name: timedelta(seconds=parse_seconds(given.pop(f"keep_{name}")))
            for name in ("samples", "history", "logs")
        }
        return Retention(**times, share=share)
    except (ValueError, OverflowError) as error:
        raise click.UsageError(str(error)) from None


@click.command(context_settings={"show_default": True})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="SKERRY_DATA",
    default=default_data,
    show_default="/var/lib/skerry, or below your home",
    help="Where everything is kept",
)
@click.option(
    "--listen",
    default=DEFAULT_LISTEN,
    callback=_listen,
    metavar="HOST:PORT",
    envvar="SKERRY_LISTEN",
    help="Where the API answers",
)
@tls_options
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an operator token there (mode 0600), for scripts",
)
@click.option(
    "--database-url",
    envvar="DATABASE_URL",
    default="",
    show_default="an embedded Postgres",
    help="Use your own Postgres",
)
@click.option("--operator", default="skerry", help="The operator's name, in offers and in the log")
@click.option("--region", default="home", help="The region's name")
@click.option("--zone", default="home-1", help="The zone, and the site, that this machine is")
@click.option(
    "--jurisdiction",
    default="",
    metavar="CC",
    show_default="unknown",
    help="Country whose law holds here, such as SE",
)
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    show_default="those shipped",
    help="Your price list",
)
@gateway_options
@click.option(
    "--agents",
    default="",
    metavar="HOST:PORT",
    envvar="SKERRY_AGENTS",
    callback=lambda ctx, param, value: _listen(ctx, param, value) if value else "",
    show_default="none may join",
    help="Where machines that join as hosts reach this one, over mutual TLS",
)
@click.option(
    "--agents-name",
    multiple=True,
    metavar="NAME",
    show_default="the address itself",
    help="A name or address by which they do; may be repeated",
)
@click.option("--keep-samples", default="1d", metavar="TIME", help="Keep points of 15 seconds")
@click.option("--keep-history", default="90d", metavar="TIME", help="Keep points of five minutes")
@click.option("--keep-logs", default="7d", metavar="TIME", help="Keep log lines for search")
@click.option("--log-share", default="1GiB", metavar="SIZE", help="Of one workspace, at most")
@notice_options
@click.option("--no-agent", is_flag=True, help="Do not offer this machine as a site")
@click.option(
    "--seca-errors",
    type=click.Choice(sorted(PROFILES)),
    default="spec",
    help="Status codes of the specification, or 412 as SECA's suite wants them",
)
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="stderr",
    help="Where log lines go",
)
@click.option("--verbose", is_flag=True, help="Log more")
def up(**given: Any) -> None:
    """Start a cloud on this machine: database, API, workers, and this machine as a site."""
    log_file: Path | None = given.pop("log_file")
    verbose, insecure = given.pop("verbose"), given.pop("insecure_http")
    given["data"] = given["data"].absolute()
    gateway, retention = take(given), _retention(given)
    if given["agents"]:
        from skerry.hosting import names_of

        try:
            names_of(given["agents"], given["agents_name"])
        except ValueError as problem:
            _fail(str(problem))
    settings = Settings(
        agent=not given.pop("no_agent"),
        gateway=gateway,
        retention=retention,
        notices=take_notices(given),
        **given,
    )
    check_listeners(settings, insecure=insecure)
    if log_file is None and not verbose and sys.stderr.isatty():
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_file = settings.data / "server.log"
    configure_log(log_file, verbose)
    _run(_up(settings, log_file))


async def _up(settings: Settings, log_file: Path | None) -> None:
    from contextlib import AsyncExitStack

    from skerry import up as parts
    from skerry.hosting import door
    from skerry.server import opened, until_signalled

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            _say("Starting Postgres …" if not settings.database_url else "Reaching Postgres …")
            server = await stack.enter_async_context(opened(settings))
            hub = parts.equip(server)
            made = await parts.bootstrap(server)
            await stack.enter_async_context(hub.listening(settings.data / parts.SOCKET))
            hosts = await stack.enter_async_context(door(server, hub))

            async def begin() -> None:
                await server.listening.wait()
                gateway_url = await parts.gateway_listens(server)
                token = await parts.place(server)
                if settings.agent:
                    await stack.enter_async_context(parts.agent(server, token))
                await parts.announce(server)
                _welcome(server.url, gateway_url, settings, made, log_file)
                if hosts:
                    site = settings.zone if settings.agent else "SITE"
                    _say(f"Machines join at {hosts}: skerry site invite {site}")

            async with asyncio.TaskGroup() as group:
                group.create_task(begin())
                group.create_task(server.run())

    try:
        await until_signalled(serve())
    finally:
        parts.withdraw(settings.data)
    _say("Skerry has stopped. What runs on this machine goes on, and is found at the next start.")


def _welcome(url: str, gateway: str, settings: Settings, made: Any, log_file: Path | None) -> None:
    """What a person needs to go on."""
    _say("Skerry is up.")
    _say(f"  API      {url}")
    _say(f"  Console  {url}{HOME}" if built() else "  Console  not built; `make console` does")
    if gateway:
        _say(f"  Gateway  {gateway.replace('://', '://*.', 1)}")
    _say(f"  Data     {settings.data}")
    if log_file is not None:
        _say(f"  Log      {log_file}")
    if made.token is not None:
        _hand_over(made.token, settings)
        _keep_context(url, made, settings)
    if settings.tls_ca:
        _say(f"  Trust    --ca-file {settings.data / CA_FILE} (SKERRY_CA_FILE), for clients")
    if settings.token_file is not None:
        _say(f"  Scripts  SKERRY_URL={url} SKERRY_TOKEN=$(cat {settings.token_file})")
    if not settings.jurisdiction:
        _say("  Note     Say where this machine stands with --jurisdiction CC; until then,")
        _say("           tenants whose policy names countries are not placed here.")
    _say("Try: skerry run -- echo hello        Stop with Ctrl-C.")


def _hand_over(token: str, settings: Settings) -> None:
    """Give the operator the first token, once: to a person's eyes, or else to a file of theirs.
    What is no terminal may be a log that others read and that is kept."""
    if sys.stderr.isatty():
        _say(f"  Token    {token}")
        _say("           The operator's token, shown this once. Keep it safe.")
    elif settings.token_file is None:
        file = settings.data / FIRST_TOKEN
        write_private(file, token + "\n")
        _say(f"  Token    in {file} (the operator's: move it to where you keep secrets)")


def _keep_context(url: str, made: Any, settings: Settings) -> None:
    """Let the command line of this user find the new cloud, unless it has contexts already."""
    try:
        known = contexts.load_contexts()
        if CONTEXT in known.named or os.environ.get("SKERRY_NO_CONTEXT"):
            return
        entry = contexts.Settings(
            url=url,
            token=made.token,
            tenant=made.tenant,
            workspace=made.workspace,
            ca_file=str(settings.data / CA_FILE) if settings.tls_ca else "",
        )
        contexts.save_contexts(known.having(CONTEXT, entry, use=not known.current))
    except (OSError, ValueError, BadSetting) as error:
        _say(f"  Note     The command line's context could not be written: {error}")
        return
    _say(f"  Context  {CONTEXT} (the skerry command finds this cloud by it)")


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def agent(arguments: tuple[str, ...]) -> None:
    """Offer this machine to a cloud."""
    from skerry.sites.agent import main

    sys.exit(main(list(arguments)))


_data = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), envvar="SKERRY_DATA",
    default=default_data, help="The cloud's data directory",
)  # fmt: skip


@click.command()
@_data
@click.option("--wait", type=int, default=30, show_default=True, help="Seconds to wait for its end")
def down(data: Path, wait: int) -> None:
    """Stop the cloud that runs on a data directory. Jobs on this machine go on."""
    try:
        told = msgspec.json.decode((data / "server.json").read_bytes())
        pid = int(told["pid"])
        os.kill(pid, signal.SIGTERM)
    except FileNotFoundError:
        _say("Nothing runs there.")
        return
    except ProcessLookupError:
        (data / "server.json").unlink(missing_ok=True)
        _say("It had ended already.")
        return
    for _ in range(wait * 10):
        if not (data / "server.json").exists():
            _say("Stopped.")
            return
        time.sleep(0.1)
    _fail(f"process {pid} has not ended in {wait} s", f"See the log, or end it: kill -9 {pid}")


@click.group()
def audit() -> None:
    """Check what was logged against what is there."""


@audit.command("verify")
@_data
@click.option(
    "--key",
    default="",
    metavar="KEY|FILE",
    help="The operator's public key, kept elsewhere; else the directory's own",
)
@click.option("--database-url", envvar="DATABASE_URL", default="", help="Your own Postgres")
@click.option("--operator", default="skerry", show_default=True, help="The operator's name")
def audit_verify(data: Path, key: str, database_url: str, operator: str) -> None:
    """Compute the log again and compare it with database, files and money. Exit code 1 names
    everything that was altered."""
    from skerry import auditing

    if key and Path(key).is_file():
        key = Path(key).read_text("utf-8", "replace").strip()
    found: list[str] = []

    async def work() -> None:
        settings = Settings(data=data.absolute(), database_url=database_url, operator=operator)
        found.extend(await auditing.verify(settings, key))

    configure_log(None, verbose=False)
    _run(work())
    for finding in found:
        click.echo(finding)
    if found:
        _say(f"audit FAILED: {len(found)} findings")
        sys.exit(1)
    _say("audit OK: log, tables, files and money agree")


audit.add_command(export)
audit.add_command(log)
audit.add_command(event)
audit.add_command(show)

COMMANDS: dict[str, click.Command] = {
    "up": up,
    "down": down,
    "agent": agent,
    "audit": audit,
    "doctor": doctor,
}
