"""Named queries: SQL kept as SQL, in a ``queries.sql`` beside the code that runs it.

A block starts with ``-- name: some_name`` and reaches to the next one. ``load("skerry.ledger")``
gives an object whose attributes are the statements, so a misspelt name fails at the first touch
and every statement can be read, and explained by Postgres, outside Python.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: ([a-z_][a-z0-9_]*)[^\n]*$", re.MULTILINE)


class Queries:
    """The statements of one package, by name."""

    def __init__(self, package: str, statements: dict[str, str]) -> None:
        self._package = package
        self._statements = statements
        self.__dict__.update(statements)

    def __getattr__(self, name: str) -> str:
        # Asked only for what is no attribute.
        raise AttributeError(f"{self._package} has no query named {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)


def parse(text: str) -> dict[str, str]:
    """Split a file of ``-- name:`` blocks; a name used twice is an error."""
    heads = list(_NAME.finditer(text))
    found: dict[str, str] = {}
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        name = head.group(1)
        if name in found:
            raise ValueError(f"query {name!r} is defined twice")
        found[name] = text[head.end() : after.start() if after else len(text)].strip()
    return found


@cache
def load(package: str, file: str = "queries.sql") -> Queries:
    """The queries of ``package``, read once per process."""
    return Queries(package, parse((resources.files(package) / file).read_text("utf-8")))
