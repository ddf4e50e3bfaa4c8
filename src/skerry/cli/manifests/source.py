"""YAML and JSON with the line of everything, stricter than YAML is.

What people mistype and YAML lets pass is refused with its line: a key that stands twice, a key that
is no text, an anchor within itself, numbers that JSON has not. Dates stay text, as JSON has them.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from skerry.client.errors import BadSetting

MOST = 1_000_000
"""Values in one document, each alias counted as often as it is used."""
_PLAIN = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Safe YAML, dates as text."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in found if not tag.endswith(":timestamp")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Node:
    """A value of a file, and where it stands."""

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self._path = path
        self._node = node
        _Check(path).size(node)
        constructor = _Loader("")
        self.data: Any = constructor.construct_document(node)

    @property
    def where(self) -> str:
        """``FILE:LINE``, as editors and compilers write it."""
        return f"{self._path}:{self._node.start_mark.line + 1}"

    @property
    def items(self) -> list["Node"]:
        """The elements of a list; of anything else, itself."""
        if isinstance(self._node, yaml.SequenceNode):
            return [Node(self._path, node) for node in self._node.value]
        return [self]

    def at(self, pointer: str) -> str:
        """``FILE:LINE`` of a JSON pointer (RFC 6901), or of what is nearest above it."""
        node: yaml.Node = self._node
        line = node.start_mark.line
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = _step(node, name)
            if found is None:
                break
            line, node = found
        return f"{self._path}:{line + 1}"


def _step(node: yaml.Node, name: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
        found = node.value[int(name)]
        return found.start_mark.line, found
    return None


class _Check:
    """Walks a tree of nodes once, and refuses what can't be meant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def size(self, node: yaml.Node) -> int:
        """How many values it stands for."""
        if id(node) in self._open:
            raise self._refused(node, "an anchor stands within itself", "Write it out.")
        if id(node) in self._sizes:
            return self._sizes[id(node)]
        self._open.add(id(node))
        found = 1 + sum(self.size(inner) for inner in self._within(node))
        self._open.discard(id(node))
        if found > MOST:
            raise self._refused(node, f"this stands for more than {MOST:,} values", "Split it.")
        self._sizes[id(node)] = found
        return found

    def _within(self, node: yaml.Node) -> Iterator[yaml.Node]:
        if node.tag not in _PLAIN:
            raise self._refused(node, f"{node.tag} is no type of JSON", "Quote it.")
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        elif isinstance(node, yaml.MappingNode):
            yield from self._values(node)
        elif node.tag.endswith(":float") and not math.isfinite(_Loader("").construct_object(node)):
            raise self._refused(node, f"{node.value} is no number of JSON", "Quote it.")

    def _values(self, node: yaml.MappingNode) -> Iterator[yaml.Node]:
        seen: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                yield value
                continue
            if not key.tag.endswith(":str"):
                raise self._refused(key, f"the key {key.value!r} is no text", "Quote it.")
            if key.value in seen:
                first = seen[key.value].start_mark.line + 1
                raise self._refused(
                    key, f"{key.value!r} stands twice", f"It stands in line {first} already."
                )
            seen[key.value] = key
            yield value

    def _refused(self, node: yaml.Node, message: str, hint: str) -> BadSetting:
        return BadSetting(f"{self._path}:{node.start_mark.line + 1}: {message}", hint=hint)


def read(path: Path, text: str) -> list[Node]:
    """The documents of a file's text. Raises ``BadSetting`` with file and line."""
    try:
        found = list(yaml.compose_all(text, _Loader))
        return [Node(path, node) for node in found if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise BadSetting(f"{where}: this is not YAML", detail=error.problem or "") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadSetting(f"{path} is not YAML", detail=str(error)[:300]) from None
