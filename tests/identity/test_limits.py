"""A tenant's quota, said by the operator."""

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.store import Database


@pytest.fixture
async def resources(db: Database, tmp_path) -> Resources:
    made = Resources(Registry.discover(), Sealer(tmp_path / "keys"), "home")
    async with db.transaction() as tx:
        await made.put(tx, made.registry["tenant"], Path(name="acme"), {}, SYSTEM)
    return made


async def test_a_quota_holds_until_it_is_deleted(db: Database, resources: Resources) -> None:
    kinds, acme = resources.registry, Path("acme")

    async def put(noun: str, name: str, spec: dict | None = None) -> None:
        async with db.transaction() as tx:
            await resources.put(tx, kinds[noun], acme.named(name), {"spec": spec or {}}, SYSTEM)

    await put("quota", "workspace", {"most": 1})
    await put("workspace", "one")
    with pytest.raises(Conflict, match="1 of 1 workspaces"):
        await put("workspace", "two")
    async with db.transaction() as tx:
        quota = await resources.get(tx, resources.ref(kinds["quota"], acme.named("workspace")))
        shown = await kinds["quota"].hooks.shown(tx, resources, quota)
        assert shown == {"used": 1}
        await resources.delete(tx, quota, SYSTEM)
    await put("workspace", "two")


async def test_a_quota_of_nothing_counted_is_refused(db: Database, resources: Resources) -> None:
    kind = resources.registry["quota"]

    async def put(name: str) -> None:
        async with db.transaction() as tx:
            await resources.put(tx, kind, Path("acme", name=name), {"spec": {"most": 1}}, SYSTEM)

    for name in ("tenant", "unicorn"):
        with pytest.raises(ValidationError, match="not counted") as refused:
            await put(name)
        assert "workspace" in refused.value.hint
