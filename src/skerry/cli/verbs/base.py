"""What the verbs share: arguments, the flags of the resources above, waiting."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.common import Command, Session
from skerry.cli.complete import names_of
from skerry.cli.exits import Failed
from skerry.client.errors import WaitTimeout
from skerry.client.operations import Until
from skerry.client.resource import Resource
from skerry.client.units import parse_seconds

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind
    from skerry.client.sync import KindClient

WAIT = "5m"
Body = Callable[..., None]


class Verb:
    """A verb of a kind, about to become a command."""

    def __init__(self, kind: "Kind", name: str, summary: str) -> None:
        self.kind = kind
        self.name = name
        self.summary = summary
        self.params: list[click.Parameter] = []

    def takes(self, *params: click.Parameter) -> "Verb":
        self.params += params
        return self

    def named(self, *, many: bool = False, required: bool = True) -> "Verb":
        """Takes the resource's name, or names."""
        shape: dict[str, Any] = {"nargs": -1} if many else {}
        return self.takes(
            click.Argument(
                ["names" if many else "name"],
                required=required,
                metavar="NAME..." if many else "NAME" if required else "[NAME]",
                shell_complete=names_of(self.kind.noun),
                **shape,
            )
        )

    def waits(self, default: str = WAIT) -> "Verb":
        return self.takes(*wait_options(default))

    def command(self, body: Body, *, offline: bool = False, **how: Any) -> click.Command:
        """The command. ``body`` gets the session, the kind's client and the values; where it can
        do without a cloud (``offline``), it gets a function that makes the client."""
        kind = self.kind

        def call(**values: Any) -> None:
            session = click.get_current_context().ensure_object(Session)
            session.noun = kind.noun
            warn_if_experimental(session, kind)
            parents = {word: values.pop(word) or "" for word in kind.parameters}

            def connect() -> "KindClient":
                return session.client.kind(kind.noun, **parents)

            body(session, connect if offline else connect(), **values)

        above = [
            click.Option(
                [f"--{word.replace('_', '-')}", word],
                metavar="NAME",
                envvar=f"SKERRY_{word.upper()}",
                help=f"The {word} it lives in",
            )
            for word in kind.parameters
        ]
        return Command(
            self.name, callback=call, params=[*self.params, *above], help=self.summary, **how
        )


def warn_if_experimental(session: Session, kind: "Kind") -> None:
    if kind.experimental:
        session.note(
            f"Note: {kind.noun} is {kind.version}: its form may still change (-q hides this)"
        )


def wait_options(default: str = WAIT) -> list[click.Parameter]:
    """``--wait/--no-wait``, ``--detach`` and ``--wait-timeout``."""
    return [
        click.Option(
            ["--wait/--no-wait", "wait"], default=True, help="Wait until it is done (default)"
        ),
        click.Option(["--detach", "-d"], is_flag=True, help="Same as --no-wait"),
        click.Option(
            ["--wait-timeout"],
            metavar="DURATION",
            default=default,
            help=f"Give up waiting after this long  [default: {default or 'never'}]",
            callback=lambda _c, _p, text: parse_seconds(text) if text else None,
        ),
    ]


def await_all(
    session: Session,
    client: "KindClient",
    names: Iterable[str],
    until: Until,
    timeout: float | None,
) -> list[Resource | None]:
    """Wait for each, with progress. A timeout says which flag to raise."""
    noun = client.target.kind.noun
    found = []
    with session.progress() as progress:
        for name in names:

            def seen(resource: Resource, name: str = name) -> None:
                progress.update(f"{noun} {name}: {standing(resource)}")

            try:
                found.append(client.wait(name, until, timeout=timeout, seen=seen))
            except WaitTimeout as error:
                error.hint = too_slow(error, noun, name)
                raise
    return found


def too_slow(error: WaitTimeout, noun: str, name: str) -> str:
    """What to do when a wait took too long."""
    again = f"Raise --wait-timeout, or look again with: skerry {noun} get {name}"
    error.detail = why_queued(error.last) if error.last is not None else ""
    return again


_WAITS = ("queued", "starting")


def standing(resource: Resource) -> str:
    """What a resource is doing, and why it waits if it does."""
    why = str(resource.status.get("message") or "") if resource.phase in _WAITS else ""
    return f"{resource.phase}: {why}" if why else resource.phase or resource.state


def why_queued(resource: Resource) -> str:
    """Why nothing serves it yet, in the cloud's words; empty if it is not queued."""
    return str(resource.status.get("message") or "") if resource.phase == "queued" else ""


def must_be_well(kind: "Kind", resource: Resource | None) -> None:
    """Raise ``Failed`` if what was waited for ended badly."""
    if resource is None or (resource.state != "error" and resource.phase != "failed"):
        return
    conditions = resource.status.get("conditions") or [{}]
    newest = conditions[0]
    why = str(resource.status.get("message") or newest.get("message") or newest.get("reason") or "")
    raise Failed(
        f"{kind.noun} {resource.name} is {resource.phase or resource.state}",
        detail=why,
        hint=f"Look closer with: skerry {kind.noun} get {resource.name}",
    )
