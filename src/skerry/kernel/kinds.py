"""Kinds: what can be asked for, declared once.

A ``Kind`` is all that the rest of Skerry knows of a sort of resource. Routes, OpenAPI, CLI verbs,
console forms, authorisation, quota and audit follow from the declaration; no list elsewhere is
edited. Packages put theirs in ``kinds.py`` as ``KINDS``; ``Registry.discover`` finds them, in the
house's own packages, in ``skerry.products.*`` and in the folders that ``SKERRY_PRODUCTS`` names.

``spec`` and ``status`` are msgspec structs whose field constraints and descriptions are the only
schema there is.
"""

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from skerry.kernel.channels import Channel
    from skerry.kernel.flows import Flow
    from skerry.kernel.hooks import Hooks
    from skerry.kernel.views import View

Op = Literal["get", "list", "put", "delete"]
Bind = Literal["early", "late"]

ALL_OPS: frozenset[Op] = frozenset(("get", "list", "put", "delete"))
READ_ONLY: frozenset[Op] = frozenset(("get", "list"))


class Spec(
    msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """Base of all specs: camelCase in JSON, unknown fields are errors."""


class Status(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Base of all statuses. ``state`` and ``conditions`` are the kernel's and not repeated here."""


class Reference(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    """SECA's reference to another resource. A URN in ``resource`` needs nothing else."""

    resource: str
    provider: str = ""
    region: str = ""
    tenant: str = ""
    workspace: str = ""


@dataclass(frozen=True)
class Ref:
    """A field of the spec that points at another resource.

    ``field`` is a dotted JSON path; ``*`` steps into a list (``dataVolumes.*.deviceRef``).
    ``early`` references must exist when put, and their target can't be deleted meanwhile;
    ``late`` ones may dangle.
    """

    field: str
    kind: str
    bind: Bind = "early"


@dataclass(frozen=True)
class Action:
    """``POST …/{name}/{action}``: an intent written for the flow, or done by the hooks."""

    name: str
    summary: str
    spec: type[msgspec.Struct] | None = None
    """The body it takes; None for none."""
    secrets: tuple[str, ...] = ()
    """Top-level fields of the body that are recorded nowhere."""


@dataclass(frozen=True)
class Column:
    """A column of the CLI's and console's tables: a title and a JSON path."""

    title: str
    path: str
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The declaration of a kind. See the package ``kernel`` for what follows from it."""

    provider: str
    collection: str
    noun: str
    """Singular, unique in the whole cloud: the CLI's word, and SECA's ``metadata.kind``."""
    summary: str
    """One line, as in a list of commands: what it is for."""
    spec: type[Any]
    status: type[msgspec.Struct] = Status
    version: str = "v1"
    parent: str = "workspace"
    """``global``, ``tenant``, ``workspace``, or one of these followed by the collections between,
    such as ``workspace/networks``."""
    seca_kind: str = ""
    """``metadata.kind`` where SECA's word is not the noun."""
    ops: frozenset[Op] = ALL_OPS
    immutable: tuple[str, ...] = ()
    """JSON paths in spec that a later PUT may not change."""
    refs: tuple[Ref, ...] = ()
    secrets: tuple[str, ...] = ()
    """Top-level spec fields that are sealed: write-only, never shown again."""
    quota: int | None = None
    """How many a tenant may have unless told otherwise; None: not counted."""
    actions: tuple[Action, ...] = ()
    views: "tuple[View, ...]" = ()
    channels: "tuple[Channel, ...]" = ()
    meters: tuple[str, ...] = ()
    flow: "type[Flow] | None" = None
    hooks: "Hooks | None" = None
    upgrade: Callable[[str, dict[str, Any]], dict[str, Any]] | None = None
    """Turn a spec stored by an older ``version`` into today's."""
    ask: Callable[[Any], Any] | None = None
    """What a spec of this kind asks of the market, for quotes."""
    columns: tuple[Column, ...] = ()
    regional: bool = True
    history: bool = True
    """False for kinds without status (SECA's regions and SKUs)."""
    public: bool = False
    """Read by everyone who has a token, whatever their roles."""
    operator_only: bool = False
    """Written by the operator (or Skerry itself), read by whom a role lets."""

    def __post_init__(self) -> None:
        scope = self.parent.split("/")[0]
        if scope not in ("global", "tenant", "workspace"):
            raise ValueError(f"{self.noun}: parent must start with global, tenant or workspace")

    @cached_property
    def scope(self) -> str:
        """``global``, ``tenant`` or ``workspace``."""
        return self.parent.split("/")[0]

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The collections between the scope and this kind's own."""
        return tuple(self.parent.split("/")[1:])

    @cached_property
    def key(self) -> str:
        """Provider and collection path: ``seca.network/networks/subnets``."""
        return "/".join((self.provider, *self.parents, self.collection))

    @property
    def title(self) -> str:
        """SECA's ``metadata.kind``."""
        return self.seca_kind or self.noun

    @cached_property
    def route(self) -> str:
        """The collection's path template below ``/providers``."""
        parts = [self.provider, self.version]
        if self.scope in ("tenant", "workspace"):
            parts += ["tenants", "{tenant}"]
        if self.scope == "workspace":
            parts += ["workspaces", "{workspace}"]
        for collection in self.parents:
            parts += [collection, "{" + singular(collection) + "}"]
        return "/".join((*parts, self.collection))

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names in ``route``'s braces, in order."""
        return tuple(p[1:-1] for p in self.route.split("/") if p.startswith("{"))


def singular(collection: str) -> str:
    """A parameter's name for a collection: ``networks`` gives ``network``."""
    word = collection.removesuffix("s") if not collection.endswith("ies") else collection[:-3] + "y"
    return word.replace("-", "_")


@dataclass(frozen=True)
class Registry:
    """All kinds of this cloud."""

    kinds: tuple[Kind, ...]
    by_noun: Mapping[str, Kind] = field(init=False)
    by_key: Mapping[str, Kind] = field(init=False)

    def __post_init__(self) -> None:
        nouns: dict[str, Kind] = {}
        keys: dict[str, Kind] = {}
        for kind in self.kinds:
            if kind.noun in nouns or kind.key in keys:
                raise ValueError(f"kind {kind.noun!r} ({kind.key}) is declared twice")
            nouns[kind.noun] = kind
            keys[kind.key] = kind
        for kind in self.kinds:
            for depth in range(len(kind.parents)):
                above = "/".join((kind.provider, *kind.parents[: depth + 1]))
                if above not in keys:
                    raise ValueError(f"{kind.noun}: its parent {above} is not a kind")
                if keys[above].scope != kind.scope:
                    raise ValueError(f"{kind.noun}: its parent {above} is in no {kind.scope}")
        object.__setattr__(self, "by_noun", nouns)
        object.__setattr__(self, "by_key", keys)

    def __getitem__(self, noun: str) -> Kind:
        return self.by_noun[noun]

    def above(self, kind: Kind) -> Kind:
        """The kind that resources of ``kind`` live below in the path."""
        return self.by_key["/".join((kind.provider, *kind.parents))]

    def children(self, kind: Kind) -> tuple[Kind, ...]:
        """Kinds that live below a resource of ``kind`` in the path."""
        return tuple(k for k in self.kinds if k.key.startswith(kind.key + "/"))

    @property
    def providers(self) -> tuple[tuple[str, str], ...]:
        """Every (provider, version), sorted."""
        return tuple(sorted({(k.provider, k.version) for k in self.kinds}))

    @classmethod
    def discover(cls) -> "Registry":
        """Every kind declared in the house and in the product folders beside it."""
        kinds: list[Kind] = []
        for module in _kind_modules():
            kinds.extend(module.KINDS)
        return cls(tuple(sorted(kinds, key=lambda k: k.key)))


_ROOMS = ("proof", "notices", "identity", "ledger", "market", "sites", "gateway")


def _kind_modules() -> Iterable[ModuleType]:
    for room in _ROOMS:
        name = f"skerry.{room}.kinds"
        if importlib.util.find_spec(name) is not None:
            yield importlib.import_module(name)
    products = importlib.import_module("skerry.products")
    for folder in filter(None, os.environ.get("SKERRY_PRODUCTS", "").split(os.pathsep)):
        if folder not in products.__path__:
            products.__path__.append(folder)
    for found in sorted(pkgutil.iter_modules(products.__path__), key=lambda m: m.name):
        if found.ispkg:
            yield importlib.import_module(f"skerry.products.{found.name}.kinds")
