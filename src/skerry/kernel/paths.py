"""Names, paths and references.

A resource's ``ref`` is SECA's URN: provider, version and path, such as
``seca.network/v1/tenants/t/workspaces/w/networks/n/subnets/s``. It is the key by which resources
find each other. References in specs may be full URNs or short forms whose missing parts come from
the referrer (SECA, "References").
"""

import re

import msgspec
from msgspec.structs import replace

from skerry.kernel.errors import Source, ValidationError
from skerry.kernel.kinds import Kind, Reference, Registry

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_LIMIT = 128
SCOPE_LIMIT = 64
OPERATOR_TENANT = "operator"
"""The tenant whose people run this cloud."""


class Path(msgspec.Struct, frozen=True):
    """Where a resource is: its scope, the names of the resources above it, and its own name."""

    tenant: str = ""
    workspace: str = ""
    parents: tuple[str, ...] = ()
    name: str = ""

    def named(self, name: str) -> "Path":
        return Path(self.tenant, self.workspace, self.parents, name)


def check_name(name: str, what: str = "name", limit: int = NAME_LIMIT) -> None:
    """SECA's rule for names: lower-case DNS-like words joined by dots."""
    if not name or len(name) > limit or not NAME.fullmatch(name):
        raise ValidationError(
            f"{what} {name[:40]!r}{'…' if len(name) > 40 else ''} is not a valid name",
            hint=f"Use 1 to {limit} lower-case letters, digits, '-' and '.', starting and ending "
            "with a letter or digit.",
            sources=[Source(pointer="/metadata/name")],
        )


def collection_ref(kind: Kind, path: Path) -> str:
    """The URN of the collection that holds ``path``."""
    return f"{_above(kind, path, len(kind.parents))}/{kind.collection}"


def ref_of(kind: Kind, path: Path) -> str:
    """The URN of the resource at ``path``."""
    return f"{collection_ref(kind, path)}/{path.name}"


def parent_ref(kind: Kind, path: Path, registry: Registry) -> str:
    """The URN of what the resource lives in: a resource above it, which may be of another version
    of the provider, or its bare scope."""
    if not kind.parents:
        return _above(kind, path, 0)
    above = replace(path, parents=path.parents[:-1], name=path.parents[-1])
    return ref_of(registry.above(kind), above)


def _above(kind: Kind, path: Path, depth: int) -> str:
    above = f"{kind.provider}/{kind.version}"
    if kind.scope == "workspace":
        above += f"/tenants/{path.tenant}/workspaces/{path.workspace}"
    elif kind.scope == "tenant":
        above += f"/tenants/{path.tenant}"
    for collection, name in zip(kind.parents[:depth], path.parents, strict=False):
        above += f"/{collection}/{name}"
    return above


def relative(kind: Kind, path: Path) -> str:
    """SECA's ``metadata.resource``: the path below the scope."""
    below = f"{kind.collection}/{path.name}" if path.name else kind.collection
    if not kind.parents:
        return below
    pairs = zip(kind.parents, path.parents, strict=True)
    return "/".join([*(f"{collection}/{name}" for collection, name in pairs), below])


def path_of(kind: Kind, ref: str) -> Path:
    """The inverse of ``ref_of``."""
    rest = ref.split("/")[2:]
    tenant = workspace = ""
    if kind.scope in ("tenant", "workspace"):
        tenant, rest = rest[1], rest[2:]
    if kind.scope == "workspace":
        workspace, rest = rest[1], rest[2:]
    return Path(tenant, workspace, tuple(rest[1:-1:2]), rest[-1])


def resolve(value: Reference | str, target: Kind, referrer: Path, registry: Registry) -> str:
    """The URN that a reference means.

    Raises ``ValidationError`` if it can't name a resource of the ``target`` kind.
    """
    reference = Reference(resource=value) if isinstance(value, str) else value
    parts = reference.resource.split("/")
    if len(parts) > 3 and re.fullmatch(r"v\d+(alpha\d+|beta\d+)?", parts[1]):
        return _full(parts, target)
    path = replace(
        referrer,
        tenant=reference.tenant or referrer.tenant,
        workspace=reference.workspace or referrer.workspace,
    )
    if parts[0] == "tenants" and len(parts) > 2:
        path, parts = replace(path, tenant=parts[1]), parts[2:]
    if parts[0] == "workspaces" and len(parts) > 2:
        path, parts = replace(path, workspace=parts[1]), parts[2:]
    if len(parts) == 1:
        parts = [target.collection, parts[0]]
    if len(parts) % 2 or not parts or parts[-2] != target.collection:
        raise _misfit(reference.resource, target)
    above = tuple(parts[1:-2:2]) or referrer.parents[: len(target.parents)]
    if len(above) != len(target.parents):
        raise _misfit(reference.resource, target)
    return ref_of(target, replace(path, parents=above, name=parts[-1]))


def _full(parts: list[str], target: Kind) -> str:
    if parts[0] != target.provider or len(parts) < 4 or parts[-2] != target.collection:
        raise _misfit("/".join(parts), target)
    return "/".join(parts)


def _misfit(text: str, target: Kind) -> ValidationError:
    return ValidationError(
        f"{text[:200]!r} does not name a {target.noun}",
        hint=f"Write {target.collection}/NAME, or a URN of {target.provider}/{target.version}.",
    )


def can_exist(kind: Kind, path: Path) -> bool:
    """Whether there can be anything at ``path``: nothing is ever called what is no name."""
    if kind.scope != "global" and not _is_name(path.tenant, SCOPE_LIMIT):
        return False
    if kind.scope == "workspace" and not _is_name(path.workspace, SCOPE_LIMIT):
        return False
    if path.name and not _is_name(path.name, NAME_LIMIT):
        return False
    return all(_is_name(name, NAME_LIMIT) for name in path.parents)


def _is_name(text: str, limit: int) -> bool:
    return len(text) <= limit and NAME.fullmatch(text) is not None


def short(ref: str) -> str:
    """``jobs/train`` of a whole ref; what is none, as it is."""
    parts = ref.split("/")
    return "/".join(parts[-2:]) if len(parts) > 4 else ref
