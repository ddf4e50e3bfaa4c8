"""A cloud without tenants: regions, sites, hub and observer on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.store import Database
from tests.sites.cloud import Cloud


@pytest.fixture
async def cloud(db: Database, tmp_path: Path) -> AsyncIterator[Cloud]:
    cloud = Cloud(db, tmp_path)
    await cloud.region()
    yield cloud
    await cloud.hub.close_all()
