"""The command, and its one table."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from skerry.doctor import Report
from skerry.settings import DEFAULT_LISTEN, default_data

_MARKS = {"ok": "ok", "note": "note", "warning": "WARNING", "broken": "BROKEN"}


async def examine(
    data: Path, database_url: str = "", listen: str = DEFAULT_LISTEN, tasks: bool = True
) -> Report:
    """Look at everything. Changes nothing. ``tasks``: whether this machine is to run some."""
    from skerry.doctor import database, directory, machine

    report = Report()
    machine.disk(report, data)
    machine.files(report)
    if tasks:
        machine.cgroups(report)
        machine.namespaces(report)
        machine.engines(report)
    machine.console(report)
    url = directory.look(report, data)
    if not url:
        machine.port(report, listen)
    await database.look(report, data, database_url, bool(url))
    return report


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="SKERRY_DATA",
    default=default_data,
    help="The cloud's data directory",
)
@click.option("--database-url", envvar="DATABASE_URL", default="", help="Your own Postgres")
@click.option(
    "--listen",
    default=DEFAULT_LISTEN,
    show_default=True,
    metavar="HOST:PORT",
    envvar="SKERRY_LISTEN",
    help="Where the API is to answer",
)
@click.option("--no-agent", is_flag=True, help="This machine is not to run tasks")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs",
)
def doctor(data: Path, database_url: str, listen: str, no_agent: bool, output: str) -> None:
    """Find out what is wrong with a cloud and its machine, and what to do about it. Needs no
    server, changes nothing. Exit code 1: something is broken."""
    report = asyncio.run(examine(data.absolute(), database_url, listen, not no_agent))
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(report.findings), indent=2).decode())
    else:
        for line in lines(report):
            click.echo(line)
    if report.breaks:
        sys.exit(1)


def lines(report: Report) -> list[str]:
    """For people: the remedy on a line of its own, below."""
    wide = max(len(finding.about) for finding in report.findings)
    told = []
    for finding in report.findings:
        told.append(f"{_MARKS[finding.level]:<8} {finding.about:<{wide}}  {finding.message}")
        if finding.remedy:
            told.append(f"{'':<8} {'':<{wide}}  → {finding.remedy}")
    found = [sum(f.level == level for f in report.findings) for level in ("broken", "warning")]
    told.append(f"{found[0]} broken, {found[1]} to be looked at")
    return told
