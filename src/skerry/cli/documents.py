"""Files of documents for ``apply`` and ``diff``: YAML or JSON, many in one, folders of them.

A document is a resource as the API shows it, with ``kind`` (the noun) at the top or in its
metadata, and ``metadata.name``. Tenant, workspace and what else it lives in stand in ``metadata``
too; where they don't, the settings' count. What the cloud sets itself is ignored, so what ``get
-o yaml`` prints can be applied.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.client.errors import BadSetting

if TYPE_CHECKING:
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

    @property
    def metadata(self) -> Mapping[str, Any]:
        found = self.data.get("metadata") or {}
        if not isinstance(found, dict):
            raise BadSetting(f"{self.where}: metadata must be an object")
        return found

    @property
    def body(self) -> dict[str, Any]:
        """What the user wants of it: spec, labels, annotations, extensions."""
        return {k: self.data[k] for k in ENVELOPE if self.data.get(k) is not None}

    @property
    def name(self) -> str:
        name = self.metadata.get("name")
        if not isinstance(name, str) or not name:
            raise BadSetting(f"{self.where}: metadata.name is missing")
        return name

    def kind(self, catalogue: "Catalogue") -> "Kind":
        word = self.data.get("kind") or self.metadata.get("kind")
        if not isinstance(word, str):
            raise BadSetting(f"{self.where}: kind is missing", hint="Write kind: job, for one.")
        provider = self.data.get("provider") or self.metadata.get("provider") or ""
        try:
            return catalogue.find(word, str(provider))
        except BadSetting as error:
            raise BadSetting(f"{self.where}: {error.message}", hint=error.hint) from None

    def target(self, client: "Client", kind: "Kind") -> "KindClient":
        """The calls on its kind, in the scope that it names."""
        found = self.metadata
        words = ("tenant", "workspace", *kind.parameters)
        return client.kind(kind.noun, **{w: str(found[w]) for w in words if found.get(w)})


def read(path: Path) -> list[Document]:
    """The documents of a file, or of ``-``. Raises ``BadSetting`` where it can't be read."""
    import yaml

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        found = list(yaml.safe_load_all(text))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} can't be read", detail=str(error)) from None
    except yaml.YAMLError as error:
        raise BadSetting(f"{path} is not YAML", detail=str(error)) from None
    return list(_documents(found, path))


def _documents(found: list[Any], path: Path) -> Iterator[Document]:
    for number, item in enumerate(found, start=1):
        where = str(path) if len(found) == 1 else f"{path}, document {number}"
        if item is None:
            continue
        many = item if isinstance(item, list) else [item]
        for data in many:
            if not isinstance(data, dict):
                raise BadSetting(f"{where}: a document must be an object")
            unknown = sorted(set(map(str, data)) - _TOP)
            if unknown:
                raise BadSetting(
                    f"{where}: unknown field {unknown[0]!r}",
                    hint=f"A document has kind, metadata and {', '.join(ENVELOPE)}.",
                )
            yield Document(data, where)


def read_all(paths: tuple[Path, ...]) -> list[Document]:
    """The documents of files and folders, what contains others first, else in their order."""
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


def ordered(found: list[Document], catalogue: "Catalogue") -> list[tuple[Document, "Kind"]]:
    """With their kinds; outer scopes first: a tenant before its workspace before what is in it."""
    pairs = [(document, document.kind(catalogue)) for document in found]
    outer = {"tenant": 0, "workspace": 1}

    def depth(pair: tuple[Document, "Kind"]) -> int:
        kind = pair[1]
        if kind.noun in outer:
            return outer[kind.noun]
        return {"global": 2, "tenant": 3, "workspace": 4}[kind.scope] + len(kind.parents)

    return sorted(pairs, key=depth)
