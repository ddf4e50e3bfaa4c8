"""``skerry backup`` and ``skerry restore``."""

import sys
from pathlib import Path

import click
import structlog

from skerry import commands
from skerry.lines import configure_log
from skerry.settings import Settings

_postgres = click.option(
    "--database-url",
    envvar="DATABASE_URL",
    default="",
    show_default="the embedded one",
    help="Your own Postgres",
)


def _say(text: str) -> None:
    click.echo(f"  {text}", err=True)


def _quiet() -> None:
    """What goes on within is told by progress, in words."""
    configure_log(None, verbose=False)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


@click.command()
@click.argument("target", metavar="FILE|DIR", type=click.Path(path_type=Path))
@commands._data
@_postgres
def backup(target: Path, data: Path, database_url: str) -> None:
    """Keep a whole cloud in one file, while it runs or when it does not.

    In it are all resources, the ledger, the log, sealed secrets, blobs AND THE KEYS: who has it can
    read every secret and sign as the operator. It is written with mode 0600 and is not encrypted.
    """
    from skerry.backing.taking import Taken, take

    made: list[Taken] = []

    async def work() -> None:
        settings = Settings(data=data.absolute(), database_url=database_url)
        made.append(await take(settings, target.absolute(), _say))

    _quiet()
    commands._run(work())
    taken = made[0]
    click.echo(f"{taken.path}")
    _say(f"{taken.size} bytes, sha256 {taken.sha256}")
    _say(f"{taken.about.resources} resources, {taken.about.changes} changes at {taken.about.at}")
    _say("It holds the keys: keep it where you keep secrets, and encrypt it on its way there.")
    for digest in taken.damaged:
        _say(f"DAMAGED on the disk, left out of a restore: {digest}")
    for digest in taken.about.missing:
        _say(f"MISSING on the disk: {digest}")
    if taken.damaged or taken.about.missing:
        sys.exit(1)


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@commands._data
@_postgres
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint of the log kept elsewhere, which this one must extend",
)
def restore(file: Path, data: Path, database_url: str, checkpoint: Path | None) -> None:
    """Bring a cloud back from a backup, to where nothing is yet, and prove that it is the same.

    The log is computed again from what came back. It must extend the checkpoint in the backup (and
    the one given), and the audit must find nothing; else nothing is left of the restore.
    """
    from skerry.backing.bringing import Brought, bring

    done: list[Brought] = []

    async def work() -> None:
        done.append(
            await bring(
                file.absolute(), data.absolute(), _say, database_url=database_url,
                checkpoint=checkpoint.read_text() if checkpoint else "",
            )
        )  # fmt: skip

    _quiet()
    commands._run(work())
    about = done[0].about
    click.echo(done[0].checkpoint, nl=False)
    _say(f"The cloud of {about.at} is back in {data.absolute()}. Start it as it was started.")


COMMANDS: dict[str, click.Command] = {"backup": backup, "restore": restore}
