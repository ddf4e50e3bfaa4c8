"""Regions as SECA has them, and sites."""

from typing import Any

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.sites.kinds import KINDS, ensure_region
from tests.sites.cloud import PROVIDERS, Cloud
from tests.sites.contract.script import Script
from tests.sites.simulated.sites import work


async def test_a_region_is_what_seca_says(cloud: Cloud) -> None:
    kind = cloud.resources.registry["region"]
    assert kind.route == "seca.region/v1/regions"
    assert kind.ops == {"get", "list"}
    assert not kind.history
    async with cloud.db.transaction() as tx:
        region = await cloud.resources.get(tx, "seca.region/v1/regions/home")
    assert region.spec == {
        "availableZones": ["a", "b"],
        "providers": [
            {
                "name": "seca.workspace",
                "url": "http://here/providers/seca.workspace",
                "version": "v1",
            }
        ],
    }


async def test_a_region_is_written_when_it_is_new_or_another(cloud: Cloud) -> None:
    async def version(zones: list[str], url: str = "http://here/") -> int:
        async with cloud.db.transaction() as tx:
            await ensure_region(tx, cloud.resources, "home", zones, url, PROVIDERS)
            region = await cloud.resources.get(tx, "seca.region/v1/regions/home")
            return region.version

    assert await version(["a", "b"]) == 1
    assert await version(["a", "b", "c"]) == 2
    assert await version(["a", "b", "c"]) == 2
    assert await version(["a", "b", "c"], "https://there") == 3


@pytest.mark.parametrize(
    ("spec", "pointer", "words"),
    [
        ({"driver": "teleport"}, "/spec/driver", "no driver 'teleport'"),
        ({"region": "mars"}, "/spec/region", "no region 'mars'"),
        ({"zone": "z"}, "/spec/zone", "no zone 'z'"),
        ({"jurisdiction": "Germany"}, "/spec/jurisdiction", "jurisdiction"),
        ({"trustTier": 5}, "/spec/trustTier", "trustTier"),
        ({"driver": "simulated", "config": {"millicores": -1}}, "/spec/config", "config is wrong"),
    ],
)
async def test_a_site_that_can_not_be_is_refused(
    cloud: Cloud, spec: dict[str, Any], pointer: str, words: str
) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        await cloud.declare("odd", **spec)
    assert [source.pointer for source in refused.value.sources] == [pointer]


async def test_a_site_stays_where_it_is(cloud: Cloud) -> None:
    await cloud.declare("here", zone="a")
    with pytest.raises(ValidationError):
        await cloud.declare("here", zone="b")


async def test_a_site_in_use_is_not_removed(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    world.apply(work("w", Script().stay()), 1)
    with pytest.raises(Conflict, match="1 workloads are still at site"):
        await cloud.remove(site)
    await cloud.give_up("w")
    await cloud.remove(site)


async def test_a_token_is_shown_once_and_ends_the_one_before(cloud: Cloud) -> None:
    site = await cloud.declare("here")
    kind = cloud.resources.registry["site"]

    async def token() -> str:
        async with cloud.db.transaction() as tx:
            answer = await cloud.resources.act(tx, site, "issue-token", None, SYSTEM)
            return str(answer["token"])

    first, second = await token(), await token()
    assert first.startswith("skerry_site_")
    assert first != second
    rows = await cloud.db.fetch("select * from site_token order by made_at")
    assert [row["revoked_at"] is None for row in rows] == [False, True]
    everything = str(rows) + str(await cloud.db.fetch("select * from change"))
    assert first not in everything
    assert second not in everything
    async with cloud.db.transaction() as tx:
        assert second not in str(
            await cloud.resources.get(tx, cloud.resources.ref(kind, Path(name="here")))
        )


def test_both_kinds_are_the_operators_to_write() -> None:
    assert all(kind.operator_only and kind.scope == "global" for kind in KINDS)
