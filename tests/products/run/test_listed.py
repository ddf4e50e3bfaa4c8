"""A page of a list tells of each what reading it alone does, with as few questions for many as for
one."""

from typing import Any

import pytest

from skerry.kernel.resources import Resource
from tests.harness.counted import Counted
from tests.products.run.cloud import REGISTRY, Cloud
from tests.sites.contract.script import Script

HOLDING = Script().sleep(600).exit(0)


async def _jobs(cloud: Cloud) -> list[Resource]:
    await cloud.site()
    made = [await cloud.job(name, HOLDING) for name in ("one", "two", "three")]
    for one in made:
        await cloud.until(one, "running")
    return made


async def _volumes(cloud: Cloud) -> list[Resource]:
    await cloud.site()
    made = [await cloud.put("volume", name, {"size": 1 << 30}) for name in ("d1", "d2", "d3")]
    await cloud.turn()
    use = [{"name": "d2", "path": "/data"}]
    await cloud.job("writer", HOLDING, volumes=use)
    await cloud.turn()
    return made


@pytest.mark.parametrize("make", [_jobs, _volumes])
async def test_a_page_tells_what_each_alone_does(cloud: Cloud, make: Any) -> None:
    made = await make(cloud)
    kind = REGISTRY[made[0].kind]
    assert kind.hooks is not None
    async with cloud.db.transaction() as tx:
        page = [await cloud.resources.by_uid(tx, one.uid) for one in made]
        alone = {one.uid: await kind.hooks.shown(tx, cloud.resources, one) for one in page}
        few, many = Counted(tx), Counted(tx)
        await kind.hooks.shown_of(few, cloud.resources, page[:1])
        assert await kind.hooks.shown_of(many, cloud.resources, page) == alone
    assert all(alone.values()), "there is something to tell"
    assert many.asked == few.asked
