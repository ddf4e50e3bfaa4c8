"""Places for servers of a test's own, and databases without a schema."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty directory where a database is made quickly."""
    made = Path(tempfile.mkdtemp(prefix="home-", dir=os.environ["SKERRY_TEST_RUN"]))
    yield made
    shutil.rmtree(made)
