"""Resources as SECA shows them.

``metadata.verb`` is the method of the current request and never stored; ``resource`` is the path
below the scope; ``ref`` the URN without scheme or host (SECA, "Common model").
"""

from collections.abc import Mapping
from typing import Any

from skerry.kernel.history import stamp
from skerry.kernel.kinds import Kind, singular
from skerry.kernel.listing import MOST_COUNTED
from skerry.kernel.paths import Path, path_of, relative
from skerry.kernel.rows import Resource

Document = dict[str, Any]


def document(
    kind: Kind, resource: Resource, verb: str, status: Mapping[str, Any] | None = None
) -> Document:
    """The whole document. ``status`` adds values computed for this response."""
    path = path_of(kind, resource.ref)
    metadata: Document = {
        "name": resource.name,
        "provider": f"{kind.provider}/{kind.version}",
        "resource": relative(kind, path),
        "verb": verb,
        "apiVersion": kind.version,
        "kind": kind.title,
        "ref": resource.ref,
    }
    metadata.update(_scope(kind, path, resource.region))
    metadata["createdAt"] = stamp(resource.created_at)
    metadata["lastModifiedAt"] = stamp(resource.modified_at)
    if resource.deleted_at is not None:
        metadata["deletedAt"] = stamp(resource.deleted_at)
    metadata["resourceVersion"] = resource.version
    if resource.owner_uid is not None:
        metadata["owned"] = True
    shown: Document = {
        "labels": resource.labels,
        "annotations": resource.annotations,
        "extensions": resource.extensions,
        "metadata": metadata,
        "spec": resource.spec,
    }
    if kind.history:
        shown["status"] = {
            "state": resource.state,
            "conditions": resource.conditions,
            **resource.status,
            **(status or {}),
        }
    return shown


def _scope(kind: Kind, path: Path, region: str) -> Document:
    scope: Document = {}
    if kind.scope in ("tenant", "workspace"):
        scope["tenant"] = path.tenant
    if kind.scope == "workspace":
        scope["workspace"] = path.workspace
    for collection, name in zip(kind.parents, path.parents, strict=True):
        scope[singular(collection)] = name
    if kind.regional and region:
        scope["region"] = region
    return scope


def collection(
    kind: Kind, path: Path, items: list[Document], skip_token: str, total: int | None = None
) -> Document:
    """A page of a list. ``skipToken`` is absent on the last one; ``total`` is of all pages."""
    metadata: Document = {
        "provider": f"{kind.provider}/{kind.version}",
        "resource": relative(kind, path.named("")),
        "verb": "GET",
    }
    if skip_token:
        metadata["skipToken"] = skip_token
    if total is not None:
        metadata["total"] = min(total, MOST_COUNTED)
        if total > MOST_COUNTED:
            metadata["more"] = True
    return {"items": items, "metadata": metadata}
