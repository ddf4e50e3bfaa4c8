"""What applying would change, asked of the cloud before anything is changed.

Each document is put as a trial (``dryRun``) that leaves alone what is so already (``ifChanged``);
the cloud compares sealed fields too, and refuses what it would refuse in earnest. What depends on a
document that does not exist yet can only be tried once that does; its fields are checked all the
same, since the cloud looks at them first.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skerry.cli.manifests.ordering import Entry, Key
from skerry.cli.manifests.reading import ENVELOPE, Document
from skerry.cli.rereading import rereading
from skerry.client.errors import (
    BadSetting,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    ProblemError,
    ServerError,
    SkerryError,
    Unauthenticated,
)
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind
    from skerry.client.sync import Client, KindClient

APPLYSET = "skerry.applyset"
"""The label that says which set of manifests a resource belongs to."""


@dataclass(frozen=True)
class Plan:
    """One document against what is there."""

    document: Document
    kind: "Kind"
    client: "KindClient"
    key: Key
    body: dict[str, Any]
    now: Resource | None = None
    then: Resource | None = None
    """What would be stored, as the cloud says; None where it can't be tried yet."""

    @property
    def title(self) -> str:
        return f"{self.kind.noun}/{self.document.name}"

    @property
    def verdict(self) -> str:
        """``created``, ``updated`` or ``unchanged``."""
        if self.now is None:
            return "created"
        return "unchanged" if self.then and self.then.version == self.now.version else "updated"

    @property
    def shown(self) -> dict[str, Any]:
        """The parts that the user writes, as they would be; sealed fields are not among them."""
        if self.then is not None:
            return parts(self.then)
        found = parts(self.body)
        found["spec"] = {k: v for k, v in found["spec"].items() if k not in self.kind.secrets}
        return found

    def put(self) -> Resource:
        """Make it so, if what a person wrote of it is still what was compared with. Of what runs,
        the status changes at any moment, and with it the version."""
        plan = self

        def reread(refused: PreconditionFailed) -> None:
            nonlocal plan
            now = self.client.get(self.document.name)
            if self.now is None or parts(now) != parts(self.now):
                raise refused
            plan = replace(plan, now=now)

        return rereading(lambda: plan.sent(plan.body), reread)

    def tried(self, body: dict[str, Any]) -> Resource:
        """What the cloud would store."""
        return replace(self, now=None).sent(body, dry_run=True)

    def sent(self, body: dict[str, Any], *, dry_run: bool = False) -> Resource:
        return self.client.put(
            self.document.name,
            body.get("spec"),
            labels=body.get("labels"),
            annotations=body.get("annotations"),
            extensions=body.get("extensions"),
            region=str(self.document.metadata.get("region") or ""),
            if_version=self.now.version if self.now is not None else None,
            dry_run=dry_run,
            if_changed=True,
        )

    def seals(self) -> list[str]:
        """The sealed fields that would be set anew."""
        spec = self.body.get("spec") or {}
        given = [name for name in self.kind.secrets if spec.get(name) is not None]
        if self.now is None or self.verdict == "unchanged":
            return given if self.now is None else []
        now = parts(self.now)
        now["spec"] = {**now["spec"], **{name: spec[name] for name in given}}
        # It says the version it has, or the next one.
        return (
            given if self.tried(now).version > self.client.get(self.document.name).version else []
        )


def parts(document: dict[str, Any]) -> dict[str, Any]:
    """Labels, annotations, extensions and spec, each an object."""
    return {part: document.get(part) or {} for part in ENVELOPE}


Refused = Callable[[Entry, SkerryError], None]


def plans(
    entries: Iterable[Entry], client: "Client", applyset: str, refused: Refused
) -> list[Plan]:
    """A plan for each document, in their order. ``refused`` is told of those that can't be, with
    their place; the list then lacks them."""
    made: list[Plan] = []
    new: set[Key] = set()
    for entry in entries:
        try:
            found = _plan(entry, client, applyset, bool(entry.needs & new))
        except (BadSetting, ProblemError) as error:
            if isinstance(error, (Unauthenticated, ServerError)):
                raise
            refused(entry, placed(entry.document, error))
            # What needs it would be refused for that alone.
            new.add(entry.key)
            continue
        made.append(found)
        if found.now is None:
            new.add(entry.key)
    return made


def _plan(entry: Entry, client: "Client", applyset: str, awaits: bool) -> Plan:
    document = entry.document.opened(entry.kind)
    target = document.target(client, entry.kind)
    plan = Plan(document, entry.kind, target, entry.key, document.body)
    with suppress(NotFound):
        plan = replace(plan, now=target.get(document.name))
    if applyset:
        plan = replace(plan, body=_labelled(plan, applyset))
    try:

        def reread(_: PreconditionFailed) -> None:
            nonlocal plan
            plan = replace(plan, now=target.get(document.name))

        then = rereading(lambda: plan.sent(plan.body, dry_run=True), reread)
        return replace(plan, then=then)
    except NotFound:
        if awaits:
            return plan
        raise
    except InvalidRequest as error:
        if awaits and plan.now is None and _points_at_missing(entry, error):
            return plan
        raise


def _labelled(plan: Plan, applyset: str) -> dict[str, Any]:
    """The body with the set's label. What belongs to another set is not taken from it."""
    labels = plan.body.get("labels") or {}
    owner = (plan.now.labels if plan.now is not None else labels).get(APPLYSET, applyset)
    if owner != applyset or labels.get(APPLYSET, applyset) != applyset:
        raise BadSetting(
            f"it belongs to the apply set {owner!r}",
            hint=f"Delete it there first, or take its label {APPLYSET} away.",
        )
    return {**plan.body, "labels": {**labels, APPLYSET: applyset}}


def _points_at_missing(entry: Entry, error: InvalidRequest) -> bool:
    """Whether all that is wrong is that something it points at isn't there yet."""
    fields = {"/spec/" + field.replace(".", "/") for field in entry.kind.refs}
    told = [re.sub(r"/\d+(?=/|$)", "/*", source.pointer) for source in error.sources]
    return bool(told) and fields.issuperset(told)


def placed(document: Document, error: SkerryError) -> SkerryError:
    """The error with file and line before it: of the field, where the cloud names one."""
    if error.message.startswith(document.where.rpartition(":")[0] or document.where):
        return error
    sources = error.sources if isinstance(error, ProblemError) else ()
    pointer = next((source.pointer for source in sources if source.pointer), "")
    error.message = f"{document.at(pointer)}: {error.message}"
    return error
