"""Documents: what files and folders hold, YAML or JSON, many in one.

A document is a resource as the API shows it, with ``kind`` (the noun) at the top or in its
metadata, and ``metadata.name``. Tenant, workspace and what else it lives in stand in ``metadata``
too; where they don't, the settings' count. What the cloud sets itself is ignored, so what ``get
-o yaml`` prints can be applied. A sealed value need not stand in the file: ``{env: NAME}`` takes a
variable, ``{file: PATH}`` a file, from the document's folder on.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.cli.sealed import line
from skerry.client.errors import BadSetting

if TYPE_CHECKING:
    from skerry.cli.manifests.source import Node
    from skerry.client.catalogue import Catalogue, Kind
    from skerry.client.sync import Client, KindClient

SUFFIXES = (".yaml", ".yml", ".json")
ENVELOPE = ("labels", "annotations", "extensions", "spec")
_TOP = frozenset((*ENVELOPE, "kind", "metadata", "status", "apiVersion", "provider"))


@dataclass(frozen=True)
class Document:
    """One document and where it stands."""

    data: dict[str, Any]
    where: str
    node: "Node | None" = field(default=None, repr=False, compare=False)
    folder: Path = Path()

    @property
    def metadata(self) -> Mapping[str, Any]:
        found = self.data.get("metadata") or {}
        if not isinstance(found, dict):
            raise BadSetting(f"{self.at('/metadata')}: metadata must be an object")
        return found

    @property
    def body(self) -> dict[str, Any]:
        """What the user wants of it: spec, labels, annotations, extensions."""
        return {k: self.data[k] for k in ENVELOPE if self.data.get(k) is not None}

    @property
    def name(self) -> str:
        name = self.metadata.get("name")
        if not isinstance(name, str) or not name:
            raise BadSetting(f"{self.at('/metadata')}: metadata.name is missing, or no text")
        return name

    def at(self, pointer: str) -> str:
        """``FILE:LINE`` of something within it, by JSON pointer."""
        return self.node.at(pointer) if self.node is not None else self.where

    def kind(self, catalogue: "Catalogue") -> "Kind":
        word = self.data.get("kind") or self.metadata.get("kind")
        if not isinstance(word, str):
            raise BadSetting(f"{self.where}: kind is missing", hint="Write kind: job, for one.")
        provider = self.data.get("provider") or self.metadata.get("provider") or ""
        try:
            return catalogue.find(word, str(provider))
        except BadSetting as error:
            raise BadSetting(f"{self.at('/kind')}: {error.message}", hint=error.hint) from None

    def scope(self, kind: "Kind") -> dict[str, str]:
        """What it says of where it lives: tenant, workspace, parents, as far as told."""
        words = ("tenant", "workspace", *kind.parameters)
        return {w: str(self.metadata[w]) for w in words if self.metadata.get(w)}

    def target(self, client: "Client", kind: "Kind") -> "KindClient":
        """The calls on its kind, in the scope that it names."""
        return client.kind(kind.noun, **self.scope(kind))

    def opened(self, kind: "Kind") -> "Document":
        """With its sealed values brought from where they are kept. Raises ``BadSetting``."""
        spec = self.data.get("spec")
        if not isinstance(spec, dict) or not any(name in spec for name in kind.secrets):
            return self
        brought = dict(spec)
        for name in kind.secrets:
            value = spec.get(name)
            if isinstance(value, dict) and not _is_place(value):
                brought[name] = {
                    key: self._brought(inner, f"/spec/{name}/{key}") for key, inner in value.items()
                }
            elif value is not None:
                brought[name] = self._brought(value, f"/spec/{name}")
        return Document({**self.data, "spec": brought}, self.where, self.node, self.folder)

    def _brought(self, value: Any, pointer: str) -> Any:
        if not _is_place(value):
            return value
        ((how, what),) = value.items()
        try:
            if how == "env":
                return os.environ[what]
            return line((self.folder / Path(what).expanduser()).read_text("utf-8"))
        except KeyError:
            raise BadSetting(
                f"{self.at(pointer)}: the environment variable {what} is not set",
                hint=f"Set {what} to the value that is to be sealed.",
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"{self.at(pointer)}: {what} can't be read: {error}") from None


def _is_place(value: Any) -> bool:
    """Whether it says where a sealed value is kept, instead of being one."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and all(k in ("env", "file") and isinstance(v, str) for k, v in value.items())
    )


def read(path: Path) -> list[Document]:
    """The documents of a file, or of ``-``. Raises ``BadSetting`` where it can't be read."""
    from skerry.cli.manifests import source

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} can't be read", detail=str(error)) from None
    folder = Path() if str(path) == "-" else path.parent
    found = source.read(path, text)
    return list(_documents([item for node in found for item in node.items], folder))


def _documents(found: list["Node"], folder: Path) -> Iterator[Document]:
    for node in found:
        if node.data is None:
            continue
        if not isinstance(node.data, dict):
            raise BadSetting(f"{node.where}: a document must be an object")
        unknown = sorted(set(map(str, node.data)) - _TOP)
        if unknown:
            raise BadSetting(
                f"{node.at('/' + unknown[0])}: unknown field {unknown[0]!r}",
                hint=f"A document has kind, metadata and {', '.join(ENVELOPE)}.",
            )
        yield Document(node.data, node.where, node, folder)


def read_all(paths: tuple[Path, ...]) -> list[Document]:
    """The documents of files and folders, in their order."""
    found: list[Document] = []
    for path in paths:
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
            if not files:
                raise BadSetting(f"{path} holds no {', '.join(SUFFIXES)} file")
            found += [document for file in files for document in read(file)]
        else:
            found += read(path)
    return found
