"""Resources as documents that apply cleanly elsewhere.

What the cloud set, and where it stood (tenant, workspace, region), is left out, so that the
settings of whoever applies it count. Sealed values can't be read back: where their names are known
each becomes ``{env: NAME}``, to be set before it is applied; else a comment says what is missing.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from skerry.cli.manifests.planning import parts
from skerry.client.operations import ENDED
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind


class Manifest(NamedTuple):
    """A document, and what a person must add to it."""

    noun: str
    name: str
    document: dict[str, Any]
    lacks: list[str]

    @property
    def filename(self) -> str:
        above = [v for k, v in self.document["metadata"].items() if k != "name"]
        return "-".join((self.noun, *above, self.name)).replace("/", "_") + ".yaml"

    def yaml(self) -> str:
        import yaml

        from skerry.cli.output import plain

        text = yaml.safe_dump(plain(self.document), sort_keys=False, allow_unicode=True)
        return "".join(f"# {line}\n" for line in self.lacks) + text


def manifest(kind: "Kind", resource: Resource) -> Manifest:
    """The document of a resource."""
    metadata = {"name": resource.name}
    metadata |= {w: resource.metadata[w] for w in kind.parameters if resource.metadata.get(w)}
    found = {part: value for part, value in parts(resource).items() if value}
    found["spec"] = dict(found.get("spec") or {})
    lacks = list(_lacks(found["spec"], resource))
    for field in kind.secrets:
        keys = resource.status.get("keys") if field == "data" else None
        if isinstance(keys, list) and keys:
            found["spec"][field] = {key: {"env": _variable(resource.name, key)} for key in keys}
            names = ", ".join(_variable(resource.name, key) for key in keys)
            lacks.append(f"Sealed values are not exported: set {names} before you apply this.")
        else:
            lacks.append(f"If {field} was set, it is not exported: it is sealed.")
    return Manifest(
        kind.noun, resource.name, {"kind": kind.noun, "metadata": metadata, **found}, lacks
    )


def _variable(name: str, key: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", f"{name}_{key}".upper()).strip("_")


def _lacks(spec: dict[str, Any], resource: Resource) -> Iterator[str]:
    """What lies in the workspace's store, and so not in a document."""
    blobs = ["its image"] if str(spec.get("image", "")).startswith("blob:") else []
    if spec.get("inputs"):
        blobs.append(f"{len(spec['inputs'])} files given along")
    if blobs:
        yield f"{' and '.join(blobs).capitalize()} must be put into the other workspace too."


def wanted(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Those that a person declared and still wants: not what another made, not what has ended."""
    for resource in resources:
        if resource.metadata.get("owned") or resource.state == "deleting":
            continue
        if resource.phase not in ENDED:
            yield resource
