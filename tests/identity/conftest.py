"""Identity's kinds on a real database, with an operator."""

from dataclasses import dataclass
from typing import Any

import pytest

from skerry.identity.authenticate import Authenticator
from skerry.identity.authorize import Principal
from skerry.identity.bootstrap import first_operator
from skerry.identity.kinds import KINDS
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.kinds import Kind, Registry, Spec
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Put, Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.store import Database
from tests.api.conftest import site

__all__ = ["site"]


class ThingSpec(Spec):
    size: int = 1


THING = Kind(
    provider="test.things",
    collection="things",
    noun="thing",
    summary="Something in a workspace",
    spec=ThingSpec,
)


@dataclass
class Cloud:
    """What a test does to identity: each call is a request in a transaction of its own."""

    db: Database
    resources: Resources
    root: str
    """The operator's token."""

    async def put(
        self, noun: str, name: str, spec: dict[str, Any] | None = None, *, tenant: str = "",
        workspace: str = "", by: Principal | None = None,
    ) -> Put:  # fmt: skip
        kind, path = self.resources.registry[noun], Path(tenant, workspace, name=name)
        async with self.db.transaction() as tx:
            return await self.resources.put(tx, kind, path, {"spec": spec or {}}, caller(by))

    async def find(self, noun: str, name: str, tenant: str = "") -> Resource | None:
        ref = ref_of(self.resources.registry[noun], Path(tenant, name=name))
        async with self.db.transaction() as tx:
            return await self.resources.find(tx, ref)

    async def delete(
        self, noun: str, name: str, tenant: str = "", by: Principal | None = None
    ) -> None:
        found = await self.find(noun, name, tenant)
        assert found is not None
        async with self.db.transaction() as tx:
            await self.resources.delete(tx, found, caller(by))

    async def act(
        self, noun: str, name: str, tenant: str, action: str, body: Any, by: Principal | None = None
    ) -> None:
        found = await self.find(noun, name, tenant)
        assert found is not None
        async with self.db.transaction() as tx:
            await self.resources.act(tx, found, action, body, caller(by))

    async def shown(self, noun: str, name: str, tenant: str) -> dict[str, Any]:
        found = await self.find(noun, name, tenant)
        assert found is not None
        hooks = self.resources.registry[noun].hooks
        assert hooks is not None
        async with self.db.transaction() as tx:
            return dict(await hooks.shown(tx, self.resources, found))

    async def token(self, name: str, tenant: str = "acme", **spec: Any) -> str:
        put = await self.put("token", name, spec, tenant=tenant)
        return str(put.once["secret"])

    def authenticator(self, max_age: float = 0) -> Authenticator:
        return Authenticator(self.db, max_age=max_age)

    async def who(self, secret: str) -> Principal:
        return await self.authenticator().authenticate(secret)


def caller(by: Principal | None) -> Caller:
    return by.caller if by else SYSTEM


@pytest.fixture
async def cloud(db: Database, tmp_path) -> Cloud:
    resources = Resources(Registry((*KINDS, THING)), Sealer(tmp_path / "keys.json"), "here")
    async with db.transaction() as tx:
        root = await first_operator(tx, resources)
    assert root is not None
    return Cloud(db, resources, root)


@pytest.fixture
async def acme(cloud: Cloud) -> Cloud:
    """The same with a tenant ``acme`` and in it a user ``ann`` who may do nothing yet."""
    await cloud.put("tenant", "acme")
    await cloud.put("user", "ann", {"email": "Ann@example.com"}, tenant="acme")
    return cloud
