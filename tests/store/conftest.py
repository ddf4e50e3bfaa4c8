"""Places for servers of a test's own, and databases without a schema."""

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from skerry.store.postgres import EmbeddedPostgres


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty directory where a database is made quickly."""
    made = Path(tempfile.mkdtemp(prefix="home-", dir=os.environ["SKERRY_TEST_RUN"]))
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def empty_url(_postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(_postgres.url_of("postgres"))
    try:
        await connection.execute(f"create database {name}")
        yield _postgres.url_of(name)
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()
