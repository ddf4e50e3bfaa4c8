"""``apply`` and ``diff``: make what is like what is written; say first what would change."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.documents import ENVELOPE, Document, ordered, read_all
from skerry.cli.exits import tell
from skerry.cli.verbs.base import await_all, must_be_well, wait_options
from skerry.client.errors import NotFound, SkerryError
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind
    from skerry.client.sync import KindClient

SEALED = "(sealed)"


@dataclass(frozen=True)
class Plan:
    """One document against what is there."""

    document: Document
    kind: "Kind"
    client: "KindClient"
    now: Resource | None
    then: dict[str, Any]
    """What would be stored, as the cloud says."""

    @property
    def title(self) -> str:
        return f"{self.kind.noun}/{self.document.name}"

    @property
    def verdict(self) -> str:
        """``created``, ``updated`` or ``unchanged``."""
        if self.now is None:
            return "created"
        return "updated" if self.seals or _shown(self.now) != _shown(self.then) else "unchanged"

    @property
    def seals(self) -> list[str]:
        """The sealed fields it sets. What they are now can't be read, so they always count."""
        spec = self.document.body.get("spec") or {}
        return [name for name in self.kind.secrets if spec.get(name) is not None]

    def put(self, *, dry_run: bool = False) -> Resource:
        body = self.document.body
        return self.client.put(
            self.document.name,
            body.get("spec"),
            labels=body.get("labels"),
            annotations=body.get("annotations"),
            extensions=body.get("extensions"),
            region=str(self.document.metadata.get("region") or ""),
            if_version=self.now.version if self.now is not None else None,
            dry_run=dry_run,
        )


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {part: document.get(part) or {} for part in ENVELOPE}


def plan(session: Session, document: Document, kind: "Kind", *, check: bool) -> Plan:
    """Compare. With ``check`` the cloud says what it would store, and refuses what it would."""
    client = document.target(session.client, kind)
    try:
        now = client.get(document.name)
    except NotFound:
        now = None
    found = Plan(document, kind, client, now, document.body)
    if not check:
        return found
    try:
        stored = found.put(dry_run=True)
    except NotFound:
        # What it lives in comes earlier in the same files and does not exist yet.
        return found
    return Plan(document, kind, client, now, stored)


def _files_option() -> click.Option:
    return click.Option(
        ["--file", "-f", "files"], multiple=True, required=True, metavar="FILE",
        type=click.Path(allow_dash=True, path_type=Path),
        help="A file or folder of documents, YAML or JSON; - for standard input",
    )  # fmt: skip


@pass_session
def _apply(
    session: Session,
    files: tuple[Path, ...],
    dry_run: bool,
    wait: bool,
    detach: bool,
    wait_timeout: float | None,
) -> None:
    pairs = ordered(read_all(files), session.catalogue)
    worst, results = 0, []
    for document, kind in pairs:
        try:
            found = plan(session, document, kind, check=dry_run)
            made = found.put() if found.verdict != "unchanged" and not dry_run else found.now
            changed = found.verdict != "unchanged" and not dry_run
            if changed and wait and not detach and kind.history:
                made = await_all(session, found.client, [document.name], "settled", wait_timeout)[0]
                must_be_well(kind, made)
        except SkerryError as error:
            error.message = f"{kind.noun}/{document.metadata.get('name')}: {error.message}"
            worst = worst or tell(error, noun=kind.noun, as_json=session.form.is_document)
            continue
        results.append((found, made))
        if not session.form.is_document:
            click.echo(f"{found.title} {found.verdict}{' (dry run)' if dry_run else ''}")
    if session.form.is_document:
        output.document([_result(found, made) for found, made in results], session.form)
    if worst:
        click.get_current_context().exit(worst)


def _result(found: Plan, made: Resource | None) -> dict[str, Any]:
    return {
        "kind": found.kind.noun,
        "name": found.document.name,
        "result": found.verdict,
        "resource": made if made is not None else found.then,
    }


apply = Command(
    "apply",
    callback=_apply,
    params=[
        _files_option(),
        click.Option(["--dry-run"], is_flag=True, help="Check and compare, change nothing"),
        *wait_options(),
    ],
    help="Make what is like what the files say; unchanged documents are left alone.",
)


@pass_session
def _diff(session: Session, files: tuple[Path, ...], exit_code: bool) -> None:
    differs = False
    for document, kind in ordered(read_all(files), session.catalogue):
        session.noun = kind.noun
        found = plan(session, document, kind, check=True)
        text = difference(found)
        differs = differs or bool(text)
        if text:
            click.echo(text, nl=False)
    if differs and exit_code:
        click.get_current_context().exit(1)


def difference(found: Plan) -> str:
    """A unified diff of the documents, as YAML; empty if nothing would change."""
    if found.verdict == "unchanged":
        return ""
    now = _yaml(_shown(found.now)) if found.now is not None else ""
    then = _shown(found.then)
    if found.seals:
        then["spec"] = {**then["spec"], **dict.fromkeys(found.seals, SEALED)}
    lines = difflib.unified_diff(
        now.splitlines(keepends=True),
        _yaml(then).splitlines(keepends=True),
        f"{found.title} (now)" if now else "(nothing)",
        f"{found.title} (then)",
    )
    return "".join(lines)


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(
        {k: v for k, v in output.plain(document).items() if v}, sort_keys=True, allow_unicode=True
    )


diff = Command(
    "diff",
    callback=_diff,
    params=[
        _files_option(),
        click.Option(["--exit-code"], is_flag=True, help="Exit with 1 if anything would change"),
    ],
    help="Show what apply would change.",
)
