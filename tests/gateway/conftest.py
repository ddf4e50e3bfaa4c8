from pathlib import Path

import pytest

from skerry.store import Database
from tests.gateway.cloud import Cloud, opened


@pytest.fixture
async def cloud(db: Database, tmp_path: Path) -> Cloud:
    return await opened(db, tmp_path)
