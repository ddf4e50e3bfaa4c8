"""The catalogue, read: what kinds there are and where they live in the API.

The file is made from the server's registry (``skerry.api.catalogue``). Reading it needs only the
standard library, since the command line does it at every start.
"""

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from skerry.client.errors import BadSetting

FORMAT = "skerry-catalogue/1"
SHIPPED = Path(__file__).parent.parent / "cli" / "catalogue.json"
SCHEMA_PREFIX = "#/schemas/"


class Scope(NamedTuple):
    """Whose resources: the tenant, and the workspace in it."""

    tenant: str = ""
    workspace: str = ""


class Action(NamedTuple):
    """``POST …/{name}/{action}``."""

    name: str
    summary: str
    spec: dict[str, Any] | None


class View(NamedTuple):
    """``GET …/{name}/{view}``: what can be read of a resource beside its document."""

    name: str
    summary: str
    media: str
    deep: bool
    """Whether a path may follow its name."""
    query: dict[str, str]


class Column(NamedTuple):
    """A column of tables: a title and a dotted path into the document."""

    title: str
    path: str
    wide: bool


class Channel(NamedTuple):
    """A stream into what runs."""

    name: str
    summary: str
    spec: dict[str, Any]


class Kind:
    """One kind of resource."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.noun: str = data["noun"]
        self.title: str = data["title"]
        self.summary: str = data["summary"]
        self.provider: str = data["provider"]
        self.version: str = data["version"]
        self.collection: str = data["collection"]
        self.scope: str = data["scope"]
        self.parents = tuple((p["collection"], p["parameter"]) for p in data["parents"])
        self.ops = frozenset(data["ops"])
        self.history: bool = data["history"]
        self.operator_only: bool = data["operatorOnly"]
        self.quotable: bool = data["quotable"]
        self.metered: bool = data["metered"]
        self.immutable: tuple[str, ...] = tuple(data["immutable"])
        self.secrets: tuple[str, ...] = tuple(data["secrets"])
        self.refs: dict[str, str] = {r["field"]: r["kind"] for r in data["refs"]}
        self.actions = {a["name"]: Action(**a) for a in data["actions"]}
        self.views = {v["name"]: View(**v) for v in data["views"]}
        self.channels = {c["name"]: Channel(**c) for c in data.get("channels", ())}
        self.columns = tuple(Column(**c) for c in data["columns"])
        self.spec: dict[str, Any] = data["spec"]
        self.status: dict[str, Any] = data["status"]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The words for the resources above it, such as ``network`` for a subnet."""
        return tuple(parameter for _, parameter in self.parents)

    @property
    def experimental(self) -> bool:
        """Whether the API may still change, by its version (``v1beta1``)."""
        return "alpha" in self.version or "beta" in self.version

    def collection_path(self, scope: Scope, parents: Mapping[str, str]) -> str:
        """The collection's URL path. Raises ``BadSetting`` where a part of it is not known."""
        parts = ["providers", self.provider, self.version]
        if self.scope in ("tenant", "workspace"):
            parts += ["tenants", segment(scope.tenant, "tenant")]
        if self.scope == "workspace":
            parts += ["workspaces", segment(scope.workspace, "workspace")]
        for collection, parameter in self.parents:
            parts += [collection, segment(parents.get(parameter, ""), parameter)]
        return "/" + "/".join((*parts, self.collection))

    def path(self, scope: Scope, parents: Mapping[str, str], name: str) -> str:
        """A resource's URL path."""
        return f"{self.collection_path(scope, parents)}/{segment(name, f'{self.noun} name')}"


def segment(value: str, what: str) -> str:
    """A path segment. Refuses what would not survive as one, rather than to ask for another."""
    if not value:
        raise BadSetting(
            f"no {what} is given",
            hint=f"Use --{what.split()[-1]}, SKERRY_{what.split()[-1].upper()} or a context.",
        )
    if "/" in value or value in (".", ".."):
        raise BadSetting(
            f"{what} {value[:60]!r} is not a valid name",
            hint="Use lower-case letters, digits, '-' and '.'.",
        )
    from urllib.parse import quote

    return quote(value, safe=":@")


class Catalogue:
    """All kinds of a cloud."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        if data.get("format") != FORMAT:
            raise BadSetting(
                f"the catalogue's format is {data.get('format')!r}, this client reads {FORMAT}",
                hint="Install the version of skerry that the cloud runs.",
            )
        self._raw = {k["noun"]: k for k in data["kinds"]}
        self._made: dict[str, Kind] = {}
        self.schemas: dict[str, Any] = data["schemas"]

    @property
    def summaries(self) -> Iterable[tuple[str, str, str, str]]:
        """(noun, provider, version, summary) of each, without reading its schema."""
        return [(n, k["provider"], k["version"], k["summary"]) for n, k in self._raw.items()]

    def __contains__(self, noun: object) -> bool:
        return noun in self._raw

    def __getitem__(self, noun: str) -> Kind:
        if noun not in self._made:
            if noun not in self._raw:
                near = ", ".join(sorted(self._raw))
                raise BadSetting(f"there is no kind {noun!r}", hint=f"Kinds: {near}.")
            self._made[noun] = Kind(self._raw[noun])
        return self._made[noun]

    @property
    def nouns(self) -> Iterable[str]:
        """All kinds, by noun."""
        return self._raw.keys()

    def holding(self, kind: Kind, collection: str) -> Kind:
        """The kind of one of the resources above ``kind``'s, by its collection."""
        found = [n for n, k in self._raw.items() if k["collection"] == collection]
        same = [n for n in found if self._raw[n]["provider"] == kind.provider]
        return self[(same or found)[0]]

    def having(self, channel: str) -> list[Kind]:
        """The kinds with this channel."""
        return [
            self[noun]
            for noun, raw in self._raw.items()
            if any(c["name"] == channel for c in raw.get("channels", ()))
        ]

    def showing(self, view: str) -> list[Kind]:
        """The kinds with this view."""
        return [
            self[noun]
            for noun, raw in self._raw.items()
            if any(v["name"] == view for v in raw["views"])
        ]

    def find(self, word: str, provider: str = "") -> Kind:
        """The kind that a document means by ``kind``: a noun, or SECA's title with a provider."""
        own = provider.split("/")[0]
        if word in self._raw and own in ("", self._raw[word]["provider"]):
            return self[word]
        titled = [
            n for n, k in self._raw.items() if k["title"] == word and own in ("", k["provider"])
        ]
        return self[titled[0]] if len(titled) == 1 else self[word]

    def resolve(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """A schema with its outer ``$ref`` followed and an optional's null taken away."""
        out = dict(schema)
        while True:
            if "$ref" in out:
                target = self.schemas[str(out.pop("$ref")).removeprefix(SCHEMA_PREFIX)]
                out = {**target, **out}
            elif "anyOf" in out:
                options = [o for o in out["anyOf"] if o.get("type") != "null"]
                if len(options) != 1:
                    return out
                del out["anyOf"]
                out = {**options[0], **out}
            else:
                return out

    @cached_property
    def sealed(self) -> frozenset[str]:
        """The names of all sealed fields, for redaction."""
        return frozenset(name for k in self._raw.values() for name in k["secrets"])


def load(path: Path | None = None) -> Catalogue:
    """The catalogue at ``path``, else where ``SKERRY_CATALOGUE`` says, else the one shipped."""
    return _read(path or Path(os.environ.get("SKERRY_CATALOGUE") or SHIPPED))


@lru_cache(maxsize=4)
def _read(file: Path) -> Catalogue:
    try:
        return Catalogue(json.loads(file.read_bytes()))
    except (OSError, ValueError, KeyError) as error:
        raise BadSetting(f"the catalogue {file} can't be read", detail=str(error)) from None
