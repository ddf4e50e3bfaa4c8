"""The order of documents: what contains before what is in it, what is needed before who needs it.

The registry says which fields point at which kind; so a volume comes before the pod that mounts
it, wherever in the folder it stands. A document that stands twice, or a circle of documents that
need each other, is refused with the lines of all that take part.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from skerry.cli.manifests.reading import Document
from skerry.client.errors import BadSetting

if TYPE_CHECKING:
    from skerry.client.catalogue import Catalogue, Kind

Key = tuple[str, ...]
"""What makes a resource the same: noun, tenant, workspace, parents' names, name."""
_OUTER = {"tenant": 0, "workspace": 1}
_DEPTH = {"global": 2, "tenant": 3, "workspace": 4}


class Entry(NamedTuple):
    """A document with its kind."""

    document: Document
    kind: "Kind"
    key: Key
    needs: frozenset[Key]
    """What it lives in and points at, as far as it can be told; in these files or not."""


def ordered(
    found: list[Document], catalogue: "Catalogue", settings: Mapping[str, str]
) -> list[Entry]:
    """All of them in the order to apply. ``settings``: tenant and workspace where a document names
    none. Raises ``BadSetting`` with file and line."""
    entries: dict[Key, Entry] = {}
    for document in found:
        entry = _entry(document, catalogue, settings)
        if entry.key in entries:
            raise BadSetting(
                f"{document.where}: {entry.kind.noun} {document.name!r} stands twice",
                hint=f"It stands at {entries[entry.key].document.where} already.",
            )
        entries[entry.key] = entry
    first = sorted(entries.values(), key=_depth)
    return list(_sorted(first, entries))


def _entry(document: Document, catalogue: "Catalogue", settings: Mapping[str, str]) -> Entry:
    kind = document.kind(catalogue)
    said = {**settings, **document.scope(kind)}
    scope = [said.get(word, "") for word in _words(kind)]
    above = [said.get(word, "") for word in kind.parameters]
    key = (kind.noun, *scope, *above, document.name)
    return Entry(document, kind, key, frozenset(_needs(document, kind, catalogue, scope, above)))


def _words(kind: "Kind") -> tuple[str, ...]:
    return {"global": (), "tenant": ("tenant",)}.get(kind.scope, ("tenant", "workspace"))


def _needs(
    document: Document, kind: "Kind", catalogue: "Catalogue", scope: list[str], above: list[str]
) -> Iterator[Key]:
    for noun, depth in (("tenant", 1), ("workspace", 2)):
        if len(scope) >= depth:
            yield (noun, *scope[:depth])
    for depth, (collection, _) in enumerate(kind.parents):
        yield (catalogue.holding(kind, collection).noun, *scope, *above[: depth + 1])
    for path, noun in kind.refs.items():
        if noun not in catalogue:
            continue
        target = catalogue[noun]
        if target.parents or len(_words(target)) > len(scope):
            continue
        for name in values_at(document.data.get("spec"), path.split(".")):
            yield (noun, *scope[: len(_words(target))], name)


def values_at(value: Any, path: list[str]) -> Iterator[str]:
    """The names at a path of the registry, in which ``*`` steps into a list."""
    if not path:
        name = value.get("resource") if isinstance(value, dict) else value
        if isinstance(name, str) and name:
            yield name.rpartition("/")[2]
    elif path[0] == "*" and isinstance(value, list):
        for inner in value:
            yield from values_at(inner, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def _depth(entry: Entry) -> int:
    kind = entry.kind
    return _OUTER.get(kind.noun, _DEPTH[kind.scope] + len(kind.parents))


def _sorted(found: list[Entry], entries: Mapping[Key, Entry]) -> Iterator[Entry]:
    done: set[Key] = set()
    for entry in found:
        # Depth first, with a stack of its own: ten thousand documents may stand in one chain.
        stack = [(entry, _inner(entry, entries))]
        trail = {entry.key: None}
        while stack:
            here, rest = stack[-1]
            if here.key in done:
                stack.pop()
                trail.popitem()
                continue
            needed = next((e for e in rest if e.key not in done), None)
            if needed is None:
                done.add(here.key)
                yield here
            elif needed.key in trail:
                keys = list(trail)
                raise _circle([entries[key] for key in keys[keys.index(needed.key) :]])
            else:
                stack.append((needed, _inner(needed, entries)))
                trail[needed.key] = None


def _inner(entry: Entry, entries: Mapping[Key, Entry]) -> Iterator[Entry]:
    return (entries[key] for key in sorted(entry.needs) if key in entries)


def _circle(found: list[Entry]) -> BadSetting:
    names = " needs ".join(f"{e.kind.noun} {e.document.name!r}" for e in (*found, found[0]))
    places = ", ".join(e.document.where for e in found)
    return BadSetting(
        f"{found[0].document.where}: a circle: {names}",
        hint=f"One of them must do without the next: {places}.",
    )
