"""``audit export`` and ``audit show``: all that happened in a tenant, for an auditor to keep."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from skerry.cli import formats, output
from skerry.cli.commands.proofs import PROOF, checked, key_of
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import Failed
from skerry.cli.verbs.viewing import destination
from skerry.client.catalogue import segment


@pass_session
def _export(session: Session, begin: str, end: str, to: Path | None) -> None:
    from skerry.client.steps import Request, send

    tenant = session.settings.tenant
    path = f"{PROOF}/tenants/{segment(tenant, 'tenant')}/audit"
    asked = {k: v for k, v in (("from", begin), ("to", end)) if v}
    to = to or Path(f"audit-{tenant}-{begin or 'begin'}-{end or 'now'}.jsonl".replace(":", ""))
    with session.progress() as progress, destination(to) as write:
        got = 0

        def sink(piece: bytes) -> None:
            nonlocal got
            before, got = got, got + len(piece)
            write(piece)
            if got // STEP > before // STEP:
                progress.update(f"audit of {tenant}: {formats.size(got)}")

        request = Request("GET", path, params=asked, sink=sink, repeatable=False)
        session.client.take(send(request, session.client.policy))
    click.echo(to)


export = Command(
    "export",
    callback=_export,
    params=[
        click.Option(
            ["--from", "begin"], default="", metavar="TIME",
            help="From this time or date on, such as 2026-10-01; else from the beginning",
        ),
        click.Option(
            ["--to", "end"], default="", metavar="TIME", help="Until before this time; else now"
        ),
        click.Option(
            ["--file", "to"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Write it to this file",
        ),
    ],
    help="Write all that happened in a tenant into one file, to be checked offline by "
    "skerry verify.",
)  # fmt: skip


STEP = 16 << 20
"""Bytes after which progress is told."""


class _Change(NamedTuple):
    """One line of an audit, read."""

    kind: str
    verb: str
    at: str
    subject: str
    actor: str
    body: dict[str, Any]
    evidence: str

    @property
    def name(self) -> str:
        return formats.short(self.subject)


@pass_session
def _show(session: Session, file: Path, key: str, compare: Path | None) -> None:
    facts = checked(str(file), key)[1]
    changes = list(_changes(file))
    if compare is not None:
        _compare(session, compare, _left(changes))
        return
    tables = {title: (heads, rows(changes)) for title, heads, rows in _TABLES}
    if session.form.is_document:
        output.document(
            {
                title.lower(): [dict(zip(heads, row, strict=True)) for row in rows]
                for title, (heads, rows) in tables.items()
            },
            session.form,
        )
        return
    click.echo("\n".join(facts))
    for title, (heads, rows) in tables.items():
        click.echo(f"\n{title}: {len(rows) or 'none'}")
        if rows:
            output.table(heads, rows, header=session.form.header)


def _compare(session: Session, folder: Path, left: list[list[str]]) -> None:
    """Say of each file of a folder which job left it, by its content."""
    known = {row[4]: f"{row[1]}: {row[2]}" for row in left}
    rows, strange = [], 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as content:
            found = known.get(hashlib.file_digest(content, "sha256").hexdigest())
        strange += found is None
        rows.append([str(path.relative_to(folder)), found or "NO JOB OF THIS AUDIT LEFT IT"])
    output.table(["FILE", "LEFT BY"], rows, header=session.form.header)
    if strange:
        raise Failed(f"{strange} of {len(rows)} files are not what a job left")


def _changes(file: Path) -> Iterator[_Change]:
    with file.open("rb") as lines:
        for line in lines:
            value = json.loads(line)
            if "statement" in value:
                said = value["statement"]
                leaf, body = json.loads(said["leaf"]), json.loads(said["body"])
                yield _Change(
                    leaf["kind"], leaf["verb"], leaf["at"], said["subject"], said["actor"],
                    body if isinstance(body, dict) else {}, value["evidence"],
                )  # fmt: skip


def _last(changes: list[_Change]) -> list[_Change]:
    """Each resource as it was last, with its place where it ever had one."""
    lives: dict[tuple[str, str, str], None] = {}
    places: dict[tuple[str, str, str], _Change] = {}
    for change in changes:
        if isinstance(change.body.get("uid"), str):
            key = (change.kind, change.subject, change.body["uid"])
            lives[key] = None
            if (change.body.get("status") or {}).get("place"):
                places[key] = change
    return [places[key] for key in lives if key in places]


def _placed(changes: list[_Change]) -> list[list[str]]:
    rows = []
    for change in _last(changes):
        spec, status = change.body.get("spec") or {}, change.body["status"]
        place = status["place"]
        rows.append([
            change.kind, change.name, str(status.get("phase", "")),
            f"{place.get('site', '')} {place.get('jurisdiction') or '(country not told)'}",
            str(place.get("operator", "")),
            " ".join(filter(None, (status.get("isolation"), status.get("engine")))),
            str(status.get("startedAt") or change.body.get("created_at", "")),
            str(status.get("endedAt") or change.body.get("deleted_at") or ""),
            ", ".join(map(str, spec.get("artifacts", ()))), change.evidence,
        ])  # fmt: skip
    return rows


def _refused(changes: list[_Change]) -> list[list[str]]:
    rows = []
    for change in changes:
        if change.kind == "decision":
            refused = (change.body.get("decision") or {}).get("refused") or {}
            counts = ", ".join(f"{count} for {reason}" for reason, count in refused.items())
            if refused or change.verb != "placed":
                rows.append([change.at, formats.short(str(change.body.get("subject"))),
                             change.verb, counts, change.evidence])  # fmt: skip
    return rows


def _entered(changes: list[_Change]) -> list[list[str]]:
    """What people of another tenant, who are operators, saw and did here."""
    rows = []
    for change in changes:
        tenant = change.subject.partition("/tenants/")[2].partition("/")[0]
        foreign = "@" in change.actor and tenant and not change.actor.endswith(f"@{tenant}")
        if foreign:
            what = change.verb if change.kind in ("look", "action") else f"{change.verb} of it"
            rows.append([change.at, change.actor, what, change.name, change.evidence])
    return rows


def _left(changes: list[_Change]) -> list[list[str]]:
    """Logs and artifacts, by the digests that their hosts made of them."""
    rows = []
    for change in changes:
        for copy in change.body.get("copies", ()) if change.kind == "output" else ():
            name = f"{change.name} copy {copy['rank']}"
            said = [("its log", copy["log"]), *((file["path"], file) for file in copy["files"])]
            for what, one in said:
                digest = one["digest"].removeprefix("sha256:") or "(not made)"
                rows.append([change.at, name, what, str(one["size"]), digest, change.evidence])
    return rows


def _kept(changes: list[_Change]) -> list[list[str]]:
    return [
        [change.at, change.subject, str(change.body.get("sha256", "")), change.actor,
         change.evidence]
        for change in changes
        if change.kind == "backup"
    ]  # fmt: skip


_TABLES = (
    ("Placed", ["KIND", "NAME", "PHASE", "PLACE", "OPERATOR", "ISOLATION", "FROM", "TO",
                "ARTIFACTS", "EVIDENCE"], _placed),
    ("Refused", ["AT", "OF", "OUTCOME", "OFFERS REFUSED", "EVIDENCE"], _refused),
    ("From outside", ["AT", "WHO", "WHAT", "OF", "EVIDENCE"], _entered),
    ("Left by jobs", ["AT", "BY", "WHAT", "BYTES", "SHA-256", "EVIDENCE"], _left),
    ("Backups", ["AT", "FILE", "SHA-256", "WHO", "EVIDENCE"], _kept),
)  # fmt: skip

show = Command(
    "show",
    callback=_show,
    params=[
        click.Argument(["file"], type=click.Path(path_type=Path, dir_okay=False, exists=True)),
        key_of(),
        click.Option(
            ["--compare"],
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            metavar="FOLDER",
            help="Say instead which job left each file of a folder; fails if none left one",
        ),
    ],
    help="Check an audit offline, then list what ran where, what was refused, what people from "
    "outside the tenant saw and did, the digests of what jobs left, and the backups.",
)
