"""``apply`` and ``diff``: make what is like what is written; say first what would change."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import code_of, tell
from skerry.cli.verbs.base import await_all, must_be_well, wait_options
from skerry.client.errors import BadSetting, SkerryError
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.cli.manifests.ordering import Entry
    from skerry.cli.manifests.planning import Plan

SEALED = "(sealed)"
MOST_TOLD = 20
"""Refused documents that are told one by one."""
Left = list[tuple["Entry", Resource]]


class Work:
    """The documents of the files against the cloud, and what is left of the set outside them."""

    def __init__(
        self, session: Session, files: tuple[Path, ...], applyset: str, prune: bool
    ) -> None:
        from skerry.cli.manifests import ordering, planning, pruning, reading

        if prune and not applyset:
            raise BadSetting(
                "--prune deletes by apply set, and none is named",
                hint="Write --applyset NAME, the same at each apply of these files.",
            )
        said = {"tenant": session.settings.tenant, "workspace": session.settings.workspace}
        entries = ordering.ordered(reading.read_all(files), session.catalogue, said)
        self._session = session
        self._faults: list[tuple[str, SkerryError]] = []
        with session.progress() as progress:
            if len(entries) > MOST_TOLD:
                progress.update(f"comparing {len(entries)} documents")
            self.plans = planning.plans(entries, session.client, applyset, self._refused)
            self._tell()
            self.left: Left = []
            if prune:
                self.left = pruning.left_over(
                    session.client, session.catalogue, applyset, entries, said
                )

    def _refused(self, entry: "Entry", error: SkerryError) -> None:
        self._faults.append((entry.kind.noun, error))

    def _tell(self) -> None:
        """Tell what was refused, and end: a folder is applied whole or not at all."""
        for noun, error in self._faults[:MOST_TOLD]:
            tell(error, noun=noun, as_json=self._session.form.is_document)
        if self._faults:
            rest = len(self._faults) - MOST_TOLD
            if rest > 0:
                click.echo(f"… and {rest} more.", err=True)
            if not self._session.form.is_document:
                click.echo("Nothing was applied.", err=True)
            click.get_current_context().exit(code_of(self._faults[0][1]))


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--file", "-f", "files"], multiple=True, required=True, metavar="FILE",
            type=click.Path(allow_dash=True, path_type=Path),
            help="A file or folder of documents, YAML or JSON; - for standard input",
        ),
        click.Option(
            ["--applyset"], default="", metavar="NAME",
            help="Label what these files hold as this set",
        ),
        click.Option(
            ["--prune"], is_flag=True,
            help="Delete what is in the set and no longer in the files",
        ),
    ]  # fmt: skip


@pass_session
def _apply(
    session: Session,
    files: tuple[Path, ...],
    applyset: str,
    prune: bool,
    yes: bool,
    dry_run: bool,
    wait: bool,
    detach: bool,
    wait_timeout: float | None,
) -> None:
    work = Work(session, files, applyset, prune)
    if work.left and not dry_run:
        session.confirm(f"Delete {_names(work.left)}?", yes)
    doing = _Doing(session, dry_run, wait and not detach, wait_timeout)
    for plan in work.plans:
        doing.apply(plan)
    if work.left and doing.worst:
        click.echo("Nothing was pruned, since not everything could be applied.", err=True)
    else:
        for entry, resource in work.left:
            doing.prune(entry, resource)
    if session.form.is_document:
        output.document(doing.results, session.form)
    if doing.worst:
        click.get_current_context().exit(doing.worst)


class _Doing:
    """Does it, one by one, and says so."""

    def __init__(self, session: Session, dry_run: bool, wait: bool, timeout: float | None) -> None:
        self._session, self._dry, self._wait, self._timeout = session, dry_run, wait, timeout
        self.worst = 0
        self.results: list[dict[str, Any]] = []

    def apply(self, plan: "Plan") -> None:
        from skerry.cli.manifests.planning import placed

        verdict, made = plan.verdict, plan.then
        try:
            if verdict != "unchanged" and not self._dry:
                made = plan.put()
                if self._wait and plan.kind.history:
                    name = plan.document.name
                    made = await_all(self._session, plan.client, [name], "settled", self._timeout)[
                        0
                    ]
                    must_be_well(plan.kind, made)
        except SkerryError as error:
            self._failed(plan.kind.noun, placed(plan.document, error))
            return
        shown = made if made is not None else plan.now
        self._say(plan.kind.noun, plan.document.name, verdict, shown or Resource(plan.body))

    def prune(self, entry: "Entry", resource: Resource) -> None:
        name = entry.document.name
        try:
            if not self._dry:
                calls = entry.document.target(self._session.client, entry.kind)
                calls.delete(name)
                # What it needs can only go once it is gone itself.
                calls.wait(name, until="deleted", timeout=self._timeout)
        except SkerryError as error:
            error.message = f"{entry.kind.noun}/{name}: {error.message}"
            self._failed(entry.kind.noun, error)
            return
        self._say(entry.kind.noun, name, "pruned", resource)

    def _failed(self, noun: str, error: SkerryError) -> None:
        code = tell(error, noun=noun, as_json=self._session.form.is_document)
        self.worst = self.worst or code

    def _say(self, noun: str, name: str, result: str, resource: Resource) -> None:
        self.results.append({"kind": noun, "name": name, "result": result, "resource": resource})
        if not self._session.form.is_document:
            click.echo(f"{noun}/{name} {result}{' (dry run)' if self._dry else ''}")


def _names(left: Left) -> str:
    names = [f"{entry.kind.noun} {entry.document.name}" for entry, _ in left]
    return ", ".join(names[:MOST_TOLD]) + (
        f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    )


apply = Command(
    "apply",
    callback=_apply,
    params=[
        *_options(),
        click.Option(["--yes", "-y"], is_flag=True, help="Do not ask before pruning"),
        click.Option(["--dry-run"], is_flag=True, help="Check and compare, change nothing"),
        *wait_options(),
    ],
    help="Make what is like what the files say; what is so already is left alone.\n\n"
    "All documents are tried first: if the cloud refuses one, it is told with its file and line, "
    "and nothing is applied. With --applyset NAME --prune, what these files held once and hold no "
    "more is deleted.",
)


@pass_session
def _diff(
    session: Session, files: tuple[Path, ...], applyset: str, prune: bool, exit_code: bool
) -> None:
    work = Work(session, files, applyset, prune)
    texts = [difference(plan) for plan in work.plans]
    texts += [_removal(entry, resource) for entry, resource in work.left]
    for text in filter(None, texts):
        for line in text.splitlines():
            click.secho(line, fg=_COLOURS.get(line[:1]), bold=line[:3] in ("---", "+++"))
    if any(texts) and exit_code:
        click.get_current_context().exit(1)


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def difference(plan: "Plan") -> str:
    """A unified diff of the documents, as YAML; empty if nothing would change."""
    from skerry.cli.manifests.planning import parts

    if plan.verdict == "unchanged":
        return ""
    then = plan.shown
    then["spec"] = {**then["spec"], **dict.fromkeys(plan.seals(), SEALED)}
    now = _yaml(parts(plan.now)) if plan.now is not None else ""
    return _unified(plan.title, now, _yaml(then))


def _removal(entry: "Entry", resource: Resource) -> str:
    from skerry.cli.manifests.planning import parts

    return _unified(f"{entry.kind.noun}/{entry.document.name}", _yaml(parts(resource)), "")


def _unified(title: str, now: str, then: str) -> str:
    lines = difflib.unified_diff(
        now.splitlines(keepends=True),
        then.splitlines(keepends=True),
        f"{title} (now)" if now else "(nothing)",
        f"{title} (then)" if then else "(nothing)",
    )
    return "".join(lines)


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    # An empty document is still one: what is created without a spec must show.
    return yaml.safe_dump(
        {k: v for k, v in output.plain(document).items() if v} or {"spec": {}},
        sort_keys=True,
        allow_unicode=True,
    )


diff = Command(
    "diff",
    callback=_diff,
    params=[
        *_options(),
        click.Option(["--exit-code"], is_flag=True, help="Exit with 1 if anything would change"),
    ],
    help="Show what apply would change.",
)
