from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.store import Database
from tests.products.run.cloud import Cloud, opened


@pytest.fixture
async def cloud(db: Database, tmp_path: Path) -> AsyncIterator[Cloud]:
    cloud = await opened(db, tmp_path)
    yield cloud
    await cloud.hub.close_all()
