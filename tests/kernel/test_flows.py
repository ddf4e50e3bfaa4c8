"""A resource's life through its flow."""

from pathlib import Path as FilePath

import pytest

from skerry.kernel.errors import Conflict, NotFound
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.kernel.worker import Worker
from skerry.store import Database
from tests.kernel.widgets import BOX, REGISTRY, TENANT, WIDGET, WORKSPACE, World

AT = Path("acme", "prod")


@pytest.fixture
async def resources(db: Database, tmp_path: FilePath) -> Resources:
    made = Resources(REGISTRY, Sealer(tmp_path / "keys"))
    async with db.transaction() as tx:
        await made.put(tx, TENANT, Path(name="acme"), {}, SYSTEM)
        await made.put(tx, WORKSPACE, Path("acme", name="prod"), {}, SYSTEM)
    return made


async def put(db: Database, resources: Resources, kind, name: str, spec: dict) -> None:  # type: ignore[no-untyped-def]
    async with db.transaction() as tx:
        await resources.put(tx, kind, AT.named(name), {"spec": spec}, SYSTEM)


async def read(db: Database, resources: Resources, kind, name: str):  # type: ignore[no-untyped-def]
    async with db.transaction() as tx:
        return await resources.get(tx, resources.ref(kind, AT.named(name)))


async def test_a_widget_is_made_changed_polished_and_removed(
    db: Database, resources: Resources
) -> None:
    world = World()
    worker = Worker(db, resources, Services(world))
    await put(db, resources, WIDGET, "w", {"size": 3})
    await worker.drain()
    made = await read(db, resources, WIDGET, "w")
    assert (made.state, made.phase) == ("active", "made")
    assert [c["state"] for c in made.conditions] == ["active", "creating", "pending"]
    assert list(world.made.values()) == [3]

    await put(db, resources, WIDGET, "w", {"size": 4})
    await worker.drain()
    changed = await read(db, resources, WIDGET, "w")
    assert changed.status["weight"] == 4
    assert [c["state"] for c in changed.conditions][:2] == ["active", "updating"]

    async with db.transaction() as tx:
        await resources.act(tx, changed, "polish", None, SYSTEM)
    await worker.drain()
    assert (await read(db, resources, WIDGET, "w")).phase == "polished"

    async with db.transaction() as tx:
        await resources.delete(tx, changed, SYSTEM)
    await worker.drain()
    assert world.made == {}
    with pytest.raises(NotFound):
        await read(db, resources, WIDGET, "w")


async def test_what_it_is_told_while_it_changes_is_done_once_it_rests(
    db: Database, resources: Resources
) -> None:
    worker = Worker(db, resources, Services(World()))
    await put(db, resources, WIDGET, "w", {"size": 3})
    await worker.drain()
    async with db.transaction() as tx:
        path = AT.named("w")
        changed = await resources.put(tx, WIDGET, path, {"spec": {"size": 4}}, SYSTEM)
        await resources.act(tx, changed.resource, "polish", None, SYSTEM)
    await worker.drain()
    assert (await read(db, resources, WIDGET, "w")).phase == "polished"


async def test_a_box_owns_its_widgets(db: Database, resources: Resources) -> None:
    worker = Worker(db, resources, Services(World()))
    await put(db, resources, BOX, "b", {})
    await worker.drain()
    await db.execute("update flow set wake_at = skerry_now()")
    await worker.drain()
    box = await read(db, resources, BOX, "b")
    assert box.phase == "filled"
    child = await read(db, resources, WIDGET, "b-1")
    with pytest.raises(Conflict, match="part of another"):
        async with db.transaction() as tx:
            await resources.delete(tx, child, SYSTEM)
    async with db.transaction() as tx:
        await resources.delete(tx, box, SYSTEM)
    for _ in range(3):
        await worker.drain()
        await db.execute("update flow set wake_at = skerry_now()")
    for kind, name in ((BOX, "b"), (WIDGET, "b-1"), (WIDGET, "b-2")):
        with pytest.raises(NotFound):
            await read(db, resources, kind, name)
    assert await db.fetchval("select sum(used) from quota_use where kind = 'widget'") == 0
