"""Every statement in a .sql file is used, every one that code names is there, and Postgres takes
each of them on the migrated schema."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import skerry
from skerry.store.queries import parse

SOURCE = Path(skerry.__file__).parent
FILES = sorted(
    file
    for file in SOURCE.rglob("*.sql")
    if file.parent.name != "migrations" and file.name != "schema.sql"
)

Named = tuple[Path, str, str]
"""A .sql file, the name of a statement, and the module that names it."""


def loads(tree: ast.Module) -> Iterator[tuple[str, Path]]:
    """Variables of a module that hold the statements of a file."""
    called_load = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "skerry.store.queries"
        for alias in node.names
    }
    for node in tree.body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        called = node.value
        if isinstance(called.func, ast.Name) and called.func.id in called_load:
            package, *file = (ast.literal_eval(argument) for argument in called.args)
            folder = SOURCE.parent.joinpath(*str(package).split("."))
            for target in node.targets:
                assert isinstance(target, ast.Name)
                yield target.id, folder / (str(file[0]) if file else "queries.sql")


def named() -> Iterator[Named]:
    for module in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(module.read_text("utf-8"))
        files = dict(loads(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                file = files.get(node.value.id)
                if file is not None:
                    yield file, node.attr, str(module.relative_to(SOURCE))


NAMED = list(named())


def test_each_statement_that_code_names_is_there() -> None:
    missing = [
        f"{module}: {name}" for file, name, module in NAMED if name not in parse(file.read_text())
    ]
    assert not missing


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_each_statement_is_used(file: Path) -> None:
    used = defaultdict(set)
    for where, name, _ in NAMED:
        used[where].add(name)
    assert set(parse(file.read_text())) == used[file]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
async def test_postgres_takes_each_statement(file: Path, pg_url: str) -> None:
    connection = await asyncpg.connect(pg_url)
    try:
        for name, statement in parse(file.read_text()).items():
            try:
                await connection.prepare(statement)
            except asyncpg.PostgresError as error:
                raise AssertionError(f"{name}: {error}") from error
    finally:
        await connection.close()
