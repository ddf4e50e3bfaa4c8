"""``delete``, ``wait`` and the actions of a kind."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import flags, output
from skerry.cli.common import Session
from skerry.cli.exits import tell
from skerry.cli.verbs.base import Verb, await_all, must_be_well
from skerry.cli.verbs.reading import article
from skerry.cli.verbs.writing import spec_options
from skerry.client.errors import SkerryError

if TYPE_CHECKING:
    from skerry.client.catalogue import Action, Catalogue, Kind
    from skerry.client.sync import KindClient

AT_ONCE = 8
SHOWN = 5


def delete(kind: "Kind") -> click.Command:
    """``skerry NOUN delete``."""
    verb = Verb(kind, "delete", f"Delete {article(kind)} or several").named(many=True).takes(
        click.Option(["--yes", "-y"], is_flag=True, help="Do not ask"),
        click.Option(["--if-version"], type=int, help="Only if it is at this resource version"),
    )  # fmt: skip
    return verb.waits().command(_delete)


def _delete(
    session: Session,
    client: "KindClient",
    names: tuple[str, ...],
    yes: bool,
    if_version: int | None,
    wait: bool,
    detach: bool,
    wait_timeout: float | None,
) -> None:
    kind = client.target.kind
    names = tuple(dict.fromkeys(names))
    shown = ", ".join(names[:SHOWN]) + (
        f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    )
    what = kind.noun if len(names) == 1 else f"{len(names)} {kind.collection.replace('-', ' ')}"
    session.confirm(
        f"Delete {what} ({shown})?" if len(names) > 1 else f"Delete {what} {shown}?", yes
    )

    def one(name: str) -> SkerryError | None:
        try:
            client.delete(name, if_version=if_version)
            if wait and not detach:
                client.wait(name, until="deleted", timeout=wait_timeout)
        except SkerryError as error:
            return error
        return None

    with session.progress() as progress, ThreadPoolExecutor(AT_ONCE) as pool:
        progress.update(f"deleting {what}")
        outcomes = dict(zip(names, pool.map(one, names), strict=True))
    worst = 0
    for name, error in outcomes.items():
        if error is not None:
            error.message = f"{kind.noun} {name}: {error.message}"
            worst = tell(error, noun=kind.noun, as_json=session.form.is_document)
        elif not session.form.is_document:
            click.echo(
                f"{kind.noun} {name} deleted"
                if wait and not detach
                else f"{kind.noun} {name} deleting"
            )
    if session.form.is_document:
        output.document([n for n, error in outcomes.items() if error is None], session.form)
    if worst:
        click.get_current_context().exit(worst)


def wait(kind: "Kind") -> click.Command:
    """``skerry NOUN wait``."""
    verb = Verb(kind, "wait", f"Wait for {article(kind)}").named(many=True)
    verb.takes(
        click.Option(
            ["--for", "until"], default="settled", metavar="CONDITION",
            help="settled, ended, deleted, active, phase=running, …  [default: settled]",
        ),
        verb_timeout(),
    )  # fmt: skip
    return verb.command(_wait)


def verb_timeout() -> click.Parameter:
    from skerry.cli.verbs.base import wait_options

    return wait_options()[-1]


def _wait(
    session: Session,
    client: "KindClient",
    names: tuple[str, ...],
    until: str,
    wait_timeout: float | None,
) -> None:
    kind = client.target.kind
    found = await_all(session, client, names, until, wait_timeout)
    present = [resource for resource in found if resource is not None]
    if session.form.is_document:
        output.document(present[0] if len(names) == 1 and present else present, session.form)
    elif session.form.is_table or session.form.name == "name":
        output.resources(kind, present, session.form)
    else:
        for name, resource in zip(names, found, strict=True):
            click.echo(f"{kind.noun} {name} {_word(resource)}")
    if until in ("settled", "ended"):
        for resource in present:
            must_be_well(kind, resource)


def _word(resource: Any) -> str:
    return "deleted" if resource is None else resource.phase or resource.state


def act(kind: "Kind", action: "Action", catalogue: "Catalogue") -> click.Command:
    """``skerry NOUN ACTION``."""
    verb = Verb(kind, action.name, action.summary).named()
    if action.spec is not None:
        verb.takes(*flags.options(catalogue, action.spec))
        verb.takes(*[p for p in spec_options(kind, catalogue) if p.name == "assignments"])
    destructive = action.name in DESTRUCTIVE
    if destructive:
        verb.takes(click.Option(["--yes", "-y"], is_flag=True, help="Do not ask"))

    def body(session: Session, client: "KindClient", name: str, **values: Any) -> None:
        if destructive:
            session.confirm(f"{action.name.capitalize()} {kind.noun} {name}?", values["yes"])
        sent: dict[str, Any] | None = None
        if action.spec is not None:
            sent = flags.gathered(click.get_current_context(), values)
            flags.assign(sent, values["assignments"])
        answer = client.act(name, action.name, sent)
        if session.form.is_document:
            output.document(answer, session.form)
        elif answer:
            click.echo("\n".join(output.described(answer)))
        else:
            click.echo(f"{kind.noun} {name}: {action.name} asked")

    return verb.command(body)


DESTRUCTIVE = frozenset(("destroy", "purge", "reset", "restore"))
