"""What an apply set held once and holds no more.

A set is a label (as of Kubernetes' apply sets): ``apply`` puts it on everything it applies, and
``--prune`` deletes what has it and stands in no file any more. What never had the label is never
touched. Looked through are all tenants that the documents name, the settings' own, and all their
workspaces.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from skerry.cli.manifests.ordering import Entry, ordered
from skerry.cli.manifests.planning import APPLYSET
from skerry.cli.manifests.reading import Document
from skerry.client.errors import Forbidden, NotFound
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.client.catalogue import Catalogue, Kind
    from skerry.client.sync import Client

NEEDED = frozenset(("list", "put", "delete"))


def left_over(
    client: "Client",
    catalogue: "Catalogue",
    applyset: str,
    kept: Iterable[Entry],
    settings: dict[str, str],
) -> list[tuple[Entry, Resource]]:
    """What is to be deleted, what needs others before those."""
    kept = list(kept)
    keys = {entry.key for entry in kept}
    found = {
        resource.ref: (_document(kind, resource), resource)
        for kind, resource in _labelled(client, catalogue, applyset, _tenants(kept, settings))
    }
    resources = {document.where: resource for document, resource in found.values()}
    entries = ordered([document for document, _ in found.values()], catalogue, settings)
    return [(e, resources[e.document.where]) for e in reversed(entries) if e.key not in keys]


def _tenants(kept: list[Entry], settings: dict[str, str]) -> list[str]:
    named = {entry.key[1] for entry in kept if entry.kind.scope != "global"}
    named |= {entry.document.name for entry in kept if entry.kind.noun == "tenant"}
    return sorted(named | {settings.get("tenant", "")} - {""})


def _document(kind: "Kind", resource: Resource) -> Document:
    return Document({**resource, "kind": kind.noun, "provider": kind.provider}, resource.ref)


def _labelled(
    client: "Client", catalogue: "Catalogue", applyset: str, tenants: list[str]
) -> Iterator[tuple["Kind", Resource]]:
    kinds = [kind for kind in map(catalogue.__getitem__, catalogue.nouns) if kind.ops >= NEEDED]
    for kind in kinds:
        for scope in _scopes(client, kind, tenants):
            for above in parents_of(client, catalogue, kind, scope):
                try:
                    calls = client.kind(kind.noun, **scope, **above)
                    for resource in calls.list(f"{APPLYSET}={applyset}"):
                        # What a member made carries its labels, and goes with it.
                        if not resource.metadata.get("owned"):
                            yield kind, resource
                except (Forbidden, NotFound):
                    # Who may not list it never put anything there.
                    continue


def _scopes(client: "Client", kind: "Kind", tenants: list[str]) -> Iterator[dict[str, str]]:
    if kind.scope == "global":
        yield {}
        return
    for tenant in tenants:
        if kind.scope == "tenant":
            yield {"tenant": tenant}
            continue
        try:
            for workspace in client.kind("workspace", tenant=tenant).list():
                yield {"tenant": tenant, "workspace": workspace.name}
        except (Forbidden, NotFound):
            continue


def parents_of(
    client: "Client", catalogue: "Catalogue", kind: "Kind", scope: dict[str, str]
) -> Iterator[dict[str, str]]:
    """The names of what can stand above a resource of the kind."""
    found: list[dict[str, str]] = [{}]
    for collection, parameter in kind.parents:
        holder = catalogue.holding(kind, collection)
        inner: list[dict[str, str]] = []
        for names in found:
            try:
                calls: Any = client.kind(holder.noun, **scope, **names)
                inner += [{**names, parameter: resource.name} for resource in calls.list()]
            except (Forbidden, NotFound):
                continue
        found = inner
    yield from found
