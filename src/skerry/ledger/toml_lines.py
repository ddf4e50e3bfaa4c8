"""In which line of a TOML text something stands. ``tomllib`` tells only where syntax is broken."""

import re
import tomllib
from collections import Counter

_HEAD = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+|\s*\.\s*)+?)\s*=""")


def line_of(source: str, path: tuple[str | int, ...]) -> int:
    """The line (from 1) of a key, or of the nearest table above it that has one.

    Integers in the path count the elements of an array of tables. Made for flat files: keys inside
    multi-line values and inline tables are taken for their outer key.
    """
    places: dict[tuple[str | int, ...], int] = {(): 1}
    table: tuple[str | int, ...] = ()
    count: Counter[tuple[str | int, ...]] = Counter()
    for number, line in enumerate(source.splitlines(), 1):
        if head := _HEAD.match(line):
            table = _inside(_parts(head[2]), count)
            if head[1] == "[[":
                table = (*table, count[table])
                count[table[:-1]] += 1
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault((*table, *_parts(key[1])), number)
    while path not in places:
        path = path[:-1]
    return places[path]


def _inside(names: tuple[str, ...], count: Counter[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """A table's full path: below an array of tables it belongs to the last element so far."""
    path: tuple[str | int, ...] = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if count[path] and position < len(names) - 1:
            path = (*path, count[path] - 1)
    return path


def _parts(dotted: str) -> tuple[str, ...]:
    """A dotted key's parts, unquoted, by TOML's own rules."""
    value = tomllib.loads(f"{dotted} = 0")
    parts = []
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        parts.append(name)
    return tuple(parts)
