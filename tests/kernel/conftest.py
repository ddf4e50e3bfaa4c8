"""A small cloud of widgets: one tenant with one workspace."""

from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind
from skerry.kernel.listing import Asked
from skerry.kernel.paths import Path
from skerry.kernel.resources import Put, Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.store import Database
from tests.kernel.widgets import REGISTRY, TENANT, WORKSPACE

AT = Path("acme", "prod")


class Cloud:
    """What a test does to resources, one transaction each."""

    def __init__(self, db: Database, resources: Resources) -> None:
        self.db = db
        self.resources = resources

    async def put(
        self, kind: Kind, name: str, spec: Any = None, *, at: Path = AT, **more: Any
    ) -> Put:
        body = {"spec": spec if spec is not None else {}, **more.pop("body", {})}
        async with self.db.transaction() as tx:
            return await self.resources.put(tx, kind, at.named(name), body, SYSTEM, **more)

    async def read(self, kind: Kind, name: str, at: Path = AT) -> Resource:
        async with self.db.transaction() as tx:
            return await self.resources.get(tx, self.resources.ref(kind, at.named(name)))

    async def delete(self, kind: Kind, name: str, at: Path = AT, **more: Any) -> None:
        resource = await self.read(kind, name, at)
        async with self.db.transaction() as tx:
            await self.resources.delete(tx, resource, SYSTEM, **more)

    async def list(self, kind: Kind, at: Path = AT, **more: Any) -> list[str]:
        async with self.db.transaction() as tx:
            return [r.name for r in (await self.resources.list(tx, kind, at, Asked(**more))).items]


@pytest.fixture
async def resources(db: Database, tmp_path: FilePath) -> Resources:
    made = Resources(REGISTRY, Sealer(tmp_path / "keys"), "here")
    async with db.transaction() as tx:
        await made.put(tx, TENANT, Path(name="acme"), {}, SYSTEM)
        await made.put(tx, WORKSPACE, Path("acme", name="prod"), {}, SYSTEM)
    return made


@pytest.fixture
def cloud(db: Database, resources: Resources) -> Cloud:
    return Cloud(db, resources)
