"""What kinds may declare beyond the ordinary: upgrades, hooks, nested and late references."""

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.kernel import alerts, changes
from skerry.kernel.errors import Conflict, InvalidRequest, NotFound, ValidationError
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM, Admitted, Caller, Hooks
from skerry.kernel.kinds import Action, Kind, Ref, Reference, Registry, Spec, Status
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import watch_over
from skerry.kernel.views import Asked
from skerry.store import Database, Tx
from tests.kernel.conftest import AT, Cloud
from tests.kernel.widgets import REGISTRY, SHELF, WIDGET, Free


class Place(Spec):
    shelf_ref: Reference | str | None = None


class RackSpec(Spec):
    places: list[Place] = []
    like_ref: str = ""
    next_ref: str = ""
    sizes: list[int] = []
    rungs: dict[str, int] = {}


class Tuning(Spec):
    key: str
    code: str


class RackStatus(Status):
    rung: int = 0


class RackHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        return Admitted({"rung": 0}, {"code": "shown once"})

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        return {"rang": True} if action == "ring" else None


def upgrade(version: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "sizes": [int(size) for size in spec["sizes"].split()]}


RACK = Kind(
    provider="t.goods", collection="racks", noun="rack", summary="Holds shelves", spec=RackSpec,
    status=RackStatus, seca_kind="shelf-rack", hooks=RackHooks(), upgrade=upgrade,
    refs=(
        Ref("places.*.shelfRef", "shelf"), Ref("likeRef", "shelf", bind="late"),
        Ref("nextRef", "rack"), Ref("goneRef", "no-such-kind"),
    ),
    actions=(
        Action("ring", "Ring it"), Action("wait", "Nothing happens"),
        Action("tune", "Tune it", Tuning, secrets=("code",)),
    ),
)  # fmt: skip


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    registry = Registry((*REGISTRY.kinds, RACK))
    cloud.resources = Resources(registry, cloud.resources.sealer, "here")
    return cloud


async def test_what_a_hook_adds_is_in_the_row_or_shown_once(cloud: Cloud) -> None:
    put = await cloud.put(RACK, "r")
    assert put.once == {"code": "shown once"}
    assert (await cloud.read(RACK, "r")).status == {"rung": 0}
    assert RACK.title == "shelf-rack"
    assert RACK.path_parameters == ("tenant", "workspace")


async def test_an_action_is_answered_by_its_hook_or_is_nothing(cloud: Cloud) -> None:
    rack = (await cloud.put(RACK, "r")).resource
    async with cloud.db.transaction() as tx:
        assert await cloud.resources.act(tx, rack, "ring", None, SYSTEM) == {"rang": True}
        assert await cloud.resources.act(tx, rack, "wait", None, SYSTEM) == {}
        tuned = await cloud.resources.act(tx, rack, "tune", Tuning(key="low", code="0000"), SYSTEM)
        assert tuned == {}
    rows = await cloud.db.fetch("select verb, body from change where kind = 'action' order by at")
    assert [row["verb"] for row in rows] == ["ring", "wait", "tune"]
    assert '"body":{"key":"low"}' in rows[2]["body"]
    assert "0000" not in rows[2]["body"]
    await cloud.delete(RACK, "r")
    async with cloud.db.transaction() as tx:
        with pytest.raises(NotFound):
            await cloud.resources.act(tx, rack, "ring", None, SYSTEM)
        with pytest.raises(NotFound):
            await cloud.resources.delete(tx, rack, SYSTEM)


async def test_references_inside_lists_hold_and_late_ones_dangle(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s")
    spec = {"places": [{}, {"shelfRef": "s"}], "likeRef": "nobody-yet"}
    await cloud.put(RACK, "r", spec)
    with pytest.raises(Conflict, match="rack r"):
        await cloud.delete(SHELF, "s")
    with pytest.raises(ValidationError, match="which does not exist"):
        await cloud.put(RACK, "r", {"places": [{"shelfRef": {"resource": "shelves/other"}}]})
    with pytest.raises(ValidationError, match="does not name a shelf"):
        await cloud.put(RACK, "r", {"likeRef": "widgets/w"})


async def test_a_circle_of_references_is_refused(cloud: Cloud) -> None:
    await cloud.put(RACK, "a")
    await cloud.put(RACK, "b", {"nextRef": "a"})
    await cloud.put(RACK, "c", {"nextRef": "b"})
    with pytest.raises(ValidationError, match="would depend on itself"):
        await cloud.put(RACK, "a", {"nextRef": "c"})
    with pytest.raises(ValidationError, match="would depend on itself"):
        await cloud.put(RACK, "a", {"nextRef": "a"})


async def test_an_old_spec_is_read_as_todays(cloud: Cloud) -> None:
    await cloud.put(RACK, "r")
    await cloud.db.execute(
        """update resource set spec = '{"sizes": "1 2"}', spec_version = 'v0' where kind = 'rack'"""
    )
    assert (await cloud.read(RACK, "r")).typed(RackSpec).sizes == [1, 2]


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [({"sizes": [1, "two"]}, "/spec/sizes/1"), ({"rungs": {"a": "b"}}, "/spec/rungs")],
)
async def test_an_error_points_as_far_as_is_known(
    cloud: Cloud, spec: dict[str, object], pointer: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        await cloud.put(RACK, "r", spec)
    assert [s.pointer for s in refused.value.sources] == [pointer]


async def test_a_region_of_this_cloud_can_be_named(cloud: Cloud) -> None:
    await cloud.db.execute(
        "insert into resource select gen_random_uuid(), 'region', 'r/v1/regions/far', 'far', '',"
        " '', '', 'r/v1', null, uid, '', '{}', '{}', '{}', '{}', 'v1', '{}', 'active', '[]', 1, 1,"
        " now(), now(), null from resource limit 1"
    )
    put = await cloud.put(SHELF, "s", body={"metadata": {"region": "far"}})
    assert put.resource.region == "far"
    for wrong in ("near", 5, [], {}):
        with pytest.raises(ValidationError, match="is not served here") as refused:
            await cloud.put(SHELF, "t", body={"metadata": {"region": wrong}})
        assert "far" in refused.value.hint
    with pytest.raises(ValidationError, match="metadata must be an object"):
        await cloud.put(SHELF, "t", body={"metadata": []})


async def test_the_audits_witness_rebuilds_a_resource(cloud: Cloud) -> None:
    watch_over(cloud.resources.registry)
    await cloud.put(RACK, "r")
    body = await cloud.db.fetchval("select body::json from change where kind = 'rack'")
    async with cloud.db.transaction() as tx:
        rebuild = changes.WITNESSES["rack"]
        assert await rebuild(tx, body["ref"]) == body
        assert await rebuild(tx, "t.goods/v1/none") is None
    with pytest.raises(ValueError, match="have a witness already"):
        changes.witness("rack")(rebuild)


async def test_a_kind_can_be_watched_over_by_its_package() -> None:
    async def rebuild(tx: Tx, subject: str) -> None:
        return None

    assert changes.witness("test-of-witness")(rebuild) is rebuild
    assert changes.WITNESSES.pop("test-of-witness") is rebuild


async def test_an_alert_is_raised_once_and_again_after_it_was_cleared(db: Database) -> None:
    async def raised() -> bool:
        async with db.transaction() as tx:
            return await alerts.raise_alert(
                tx, subject="x", reason="Odd", message="m", remedy="r", tenant="t"
            )

    assert [await raised(), await raised()] == [True, False]
    async with db.transaction() as tx:
        await alerts.clear(tx, "x")
    assert await alerts.open_alerts(db) == []
    assert await raised()


def test_services_are_found_by_the_type_they_are_offered_as() -> None:
    services = Services()
    services.add(3, as_type=float)
    services.add("word")
    assert (services[float], services[str]) == (3, "word")


def asked(**query: str) -> Asked:
    return Asked(None, None, None, None, SYSTEM, query=query)  # type: ignore[arg-type]


def test_a_views_parameters_are_read_with_limits() -> None:
    assert asked(rank="7").integer("rank", 0) == 7
    assert asked().integer("rank", 3) == 3
    for wrong in ("-1", "x", "", "99999"):
        with pytest.raises(InvalidRequest) as refused:
            asked(rank=wrong).integer("rank", 0, most=100)
        assert refused.value.sources[0].parameter == "rank"
    assert asked(follow="true").flag("follow")
    assert not asked(follow="0").flag("follow")
    assert not asked().flag("follow")
    with pytest.raises(InvalidRequest, match="neither true nor false"):
        asked(follow="perhaps").flag("follow")


def test_a_kind_in_a_tenant_or_nowhere_has_its_route() -> None:
    lone = Kind(
        provider="t", collection="moons", noun="moon", parent="global", summary="", spec=Free
    )
    assert (lone.route, lone.path_parameters) == ("t/v1/moons", ())
    assert REGISTRY["workspace"].route == "t.workspace/v1/tenants/{tenant}/workspaces"


async def test_a_nested_kind_refers_within_its_own_parent(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1})
    tag = REGISTRY["tag"]
    at = Path(AT.tenant, AT.workspace, ("w",))
    await cloud.put(tag, "t", at=at)
    assert await cloud.list(tag, at) == ["t"]
    path = at.named("t")
    found = await cloud.read(tag, "t", at)
    assert cloud.resources.path(found) == path


def test_products_beside_the_house_are_found(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lamps"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "kinds.py").write_text(
        textwrap.dedent(
            """
            from skerry.kernel.kinds import Kind, Spec

            class LampSpec(Spec):
                watts: int = 5

            KINDS = [Kind(provider="t.lamps", collection="lamps", noun="lamp", summary="Shines",
                          spec=LampSpec)]
            """
        )
    )
    import skerry.products

    before = list(skerry.products.__path__)
    monkeypatch.setenv("SKERRY_PRODUCTS", str(tmp_path))
    try:
        for _ in range(2):
            assert "lamp" in Registry.discover().by_noun
    finally:
        skerry.products.__path__[:] = before
        for name in [n for n in sys.modules if n.startswith("skerry.products.lamps")]:
            del sys.modules[name]
    monkeypatch.delenv("SKERRY_PRODUCTS")
    assert "lamp" not in Registry.discover().by_noun
