"""Resources as a client meets them: put, read, list, delete, and what is refused."""

import asyncio
import uuid

import pytest

from skerry.kernel import quotas
from skerry.kernel.errors import (
    Conflict,
    InvalidRequest,
    MissingParent,
    NotFound,
    PreconditionFailed,
    ValidationError,
)
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.listing import Asked
from skerry.kernel.paths import Path
from tests.kernel.conftest import AT, Cloud
from tests.kernel.widgets import LABEL, SHELF, TENANT, WIDGET, WORKSPACE


async def test_a_new_resource_has_its_history(cloud: Cloud) -> None:
    put = await cloud.put(SHELF, "s", body={"labels": {"env": "dev"}, "annotations": {"n": "x"}})
    assert put.created
    shelf = await cloud.read(SHELF, "s")
    assert [c["state"] for c in shelf.conditions] == ["active", "creating", "pending"]
    assert (shelf.version, shelf.generation, shelf.labels) == (1, 1, {"env": "dev"})
    assert shelf.ref == "t.goods/v1/tenants/acme/workspaces/prod/shelves/s"
    assert shelf.region == "here"


async def test_an_equal_put_is_an_update_all_the_same(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s")
    again = await cloud.put(SHELF, "s")
    assert not again.created
    states = [c["state"] for c in again.resource.conditions]
    assert states == ["active", "updating", "active", "creating", "pending"]
    assert again.resource.version == 2


async def test_a_replace_drops_what_is_not_sent(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s", body={"labels": {"a": "1"}})
    await cloud.put(SHELF, "s")
    assert (await cloud.read(SHELF, "s")).labels == {}


async def test_history_is_capped_with_the_newest_kept(cloud: Cloud) -> None:
    for _ in range(20):
        await cloud.put(SHELF, "s")
    conditions = (await cloud.read(SHELF, "s")).conditions
    assert len(conditions) == 32
    assert conditions[0]["state"] == "active"


async def test_a_version_that_is_not_current_is_refused(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s")
    await cloud.put(SHELF, "s", if_version=1)
    with pytest.raises(PreconditionFailed, match="it is at version 2"):
        await cloud.put(SHELF, "s", if_version=1)
    with pytest.raises(PreconditionFailed, match="does not exist"):
        await cloud.put(SHELF, "new", if_version=1)
    with pytest.raises(PreconditionFailed):
        await cloud.delete(SHELF, "s", if_version=7)


async def test_version_0_means_that_there_is_none_yet(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s", if_version=0)
    with pytest.raises(PreconditionFailed, match="it is at version 1"):
        await cloud.put(SHELF, "s", if_version=0)


@pytest.mark.parametrize(
    "name", ["", "Upper", "-a", "a-", "a..b", "../x", "a/b", "a" * 129, "ä", "a b", "."]
)
async def test_bad_names_are_refused_in_words(cloud: Cloud, name: str) -> None:
    with pytest.raises(ValidationError, match="not a valid name") as refused:
        await cloud.put(SHELF, name)
    assert "lower-case" in refused.value.hint


async def test_names_of_128_characters_are_fine(cloud: Cloud) -> None:
    await cloud.put(SHELF, "a" * 128)


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({}, "/spec"),
        ({"size": "big"}, "/spec/size"),
        ({"size": 1, "weight": 2}, "/spec/weight"),
        ({"size": 1, "shelfRef": {"resource": 5}}, "/spec/shelfRef/resource"),
        ([], "/spec"),
    ],
)
async def test_a_spec_that_does_not_fit_names_the_field(
    cloud: Cloud, spec: object, pointer: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        await cloud.put(WIDGET, "w", spec)
    assert [s.pointer for s in refused.value.sources] == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        {"labels": {f"k{i}": "v" for i in range(257)}},
        {"labels": {"k": "v" * 64}},
        {"labels": {"k": 1}},
        {"labels": {"": "v"}},
        {"labels": {"k" * 254: "v"}},
        {"labels": []},
        {"annotations": {"k": "v" * 1025}},
        {"colour": "red"},
        {"metadata": {"region": "elsewhere"}},
    ],
)
async def test_an_envelope_that_does_not_fit_is_refused(
    cloud: Cloud, body: dict[str, object]
) -> None:
    with pytest.raises(ValidationError) as refused:
        await cloud.put(SHELF, "s", body=body)
    assert refused.value.sources
    assert await cloud.list(SHELF) == []


async def test_what_clients_send_back_is_ignored(cloud: Cloud) -> None:
    zero = {"createdAt": "0001-01-01T00:00:00Z", "resourceVersion": 0, "region": ""}
    await cloud.put(SHELF, "s", body={"metadata": zero, "status": {"conditions": None}})


async def test_immutable_fields_stay(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "colour": "red"})
    with pytest.raises(ValidationError, match=r"spec\.colour can't be changed"):
        await cloud.put(WIDGET, "w", {"size": 1, "colour": "blue"})
    await cloud.put(WIDGET, "w", {"size": 2, "colour": "red"})


async def test_nothing_is_put_into_what_is_not_there(cloud: Cloud) -> None:
    for where in (Path("acme", "gone"), Path("gone", "prod")):
        with pytest.raises(MissingParent):
            await cloud.put(SHELF, "s", at=where)
    with pytest.raises(MissingParent):
        await cloud.put(LABEL, "l", at=Path("acme", "prod", ("w",)))


async def test_a_nested_resource_lives_below_its_parent(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1})
    put = await cloud.put(LABEL, "l", at=Path("acme", "prod", ("w",)))
    assert put.resource.ref.endswith("/widgets/w/tags/l")
    with pytest.raises(Conflict, match="still needed by tag l"):
        await cloud.delete(WIDGET, "w")


async def test_a_reference_must_exist_and_holds_its_target(cloud: Cloud) -> None:
    wanted = {"size": 1, "shelfRef": {"resource": "shelves/s"}}
    with pytest.raises(ValidationError, match="which does not exist") as refused:
        await cloud.put(WIDGET, "w", wanted)
    assert refused.value.sources[0].pointer == "/spec/shelfRef"
    await cloud.put(SHELF, "s")
    await cloud.put(WIDGET, "w", wanted)
    assert (await cloud.read(WIDGET, "w")).spec == wanted
    with pytest.raises(Conflict, match="still needed by widget w"):
        await cloud.delete(SHELF, "s")
    await cloud.put(WIDGET, "w", {"size": 1})
    await cloud.delete(SHELF, "s")
    with pytest.raises(NotFound):
        await cloud.read(SHELF, "s")


async def test_a_workspace_goes_when_it_is_empty(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s")
    at = Path("acme")
    with pytest.raises(Conflict, match="still needed by shelf s"):
        await cloud.delete(WORKSPACE, "prod", at)
    await cloud.delete(SHELF, "s")
    await cloud.delete(WORKSPACE, "prod", at)
    with pytest.raises(MissingParent):
        await cloud.put(SHELF, "s")
    await cloud.delete(TENANT, "acme", Path())


async def test_children_on_their_way_out_block_nothing(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1})
    await cloud.delete(WIDGET, "w")
    assert (await cloud.read(WIDGET, "w")).state == "deleting"
    await cloud.delete(WORKSPACE, "prod", Path("acme"))


async def test_what_is_being_deleted_takes_nothing_more(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1})
    await cloud.delete(WIDGET, "w")
    await cloud.delete(WIDGET, "w")
    with pytest.raises(Conflict, match="being deleted"):
        await cloud.put(WIDGET, "w", {"size": 1})
    widget = await cloud.read(WIDGET, "w")
    with pytest.raises(Conflict, match="being deleted"):
        async with cloud.db.transaction() as tx:
            await cloud.resources.act(tx, widget, "polish", None, SYSTEM)


async def test_a_deleted_name_can_be_used_again(cloud: Cloud) -> None:
    first = (await cloud.put(SHELF, "s")).resource.uid
    await cloud.delete(SHELF, "s")
    again = await cloud.put(SHELF, "s")
    assert again.created
    assert again.resource.uid != first
    assert await cloud.list(SHELF, deleted="also") == ["s", "s"]
    assert await cloud.list(SHELF, deleted="only") == ["s"]


async def test_the_quota_holds_against_two_at_once(cloud: Cloud) -> None:
    async with cloud.db.transaction() as tx:
        await quotas.allow(tx, WIDGET, "acme", 3)
    results = await asyncio.gather(
        *(cloud.put(WIDGET, f"w{i}", {"size": 1}) for i in range(8)), return_exceptions=True
    )
    refused = [r for r in results if isinstance(r, Conflict)]
    assert len(refused) == 5
    assert "3 of 3 widgets" in refused[0].detail
    assert len(await cloud.list(WIDGET)) == 3
    async with cloud.db.transaction() as tx:
        assert (await quotas.usage(tx, "acme"))["widget"] == (3, 3)


async def test_two_creating_the_same_make_one(cloud: Cloud) -> None:
    results = await asyncio.gather(
        *(cloud.put(SHELF, "s") for _ in range(6)), return_exceptions=True
    )
    assert not [r for r in results if isinstance(r, BaseException) and not isinstance(r, Conflict)]
    assert await cloud.list(SHELF) == ["s"]


async def test_lists_page_by_name_and_filter_by_label(cloud: Cloud) -> None:
    for i in range(7):
        labels = {"n": str(i), "env": "dev" if i % 2 else "prod"}
        await cloud.put(SHELF, f"s{i}", body={"labels": labels})
    seen, token = [], ""
    async with cloud.db.transaction() as tx:
        while True:
            page = await cloud.resources.list(tx, SHELF, AT, Asked(limit=3, skip_token=token))
            seen += [r.name for r in page.items]
            token = page.skip_token
            if not token:
                break
    assert seen == [f"s{i}" for i in range(7)]
    assert await cloud.list(SHELF, labels="env=dev") == ["s1", "s3", "s5"]
    assert await cloud.list(SHELF, labels="env!=dev,n>=4") == ["s4", "s6"]
    assert await cloud.list(SHELF, labels="e*=d*") == ["s1", "s3", "s5"]
    assert await cloud.list(SHELF, labels="n<2") == ["s0", "s1"]


@pytest.mark.parametrize("token", ["x", "AAAA", "e30", "ää"])
async def test_an_invented_skip_token_is_refused(cloud: Cloud, token: str) -> None:
    with pytest.raises(InvalidRequest, match="skipToken"):
        await cloud.list(SHELF, skip_token=token)


@pytest.mark.parametrize("labels", ["x", "=v", "k>big", "k==v,", "a=b,c"])
async def test_a_broken_selector_is_refused(cloud: Cloud, labels: str) -> None:
    with pytest.raises(InvalidRequest):
        await cloud.list(SHELF, labels=labels)


async def test_each_change_leaves_one_row_with_its_body(cloud: Cloud) -> None:
    await cloud.put(SHELF, "s")
    await cloud.put(SHELF, "s")
    await cloud.delete(SHELF, "s")
    rows = await cloud.db.fetch(
        "select verb, version, tenant from change where kind = 'shelf' order by version"
    )
    assert [tuple(r) for r in rows] == [
        ("put", 1, "acme"),
        ("put", 2, "acme"),
        ("deleted", 3, "acme"),
    ]


async def test_nothing_new_is_no_change(cloud: Cloud) -> None:
    uid = (await cloud.put(SHELF, "s")).resource.uid
    async with cloud.db.transaction() as tx:
        await cloud.resources.set_status(tx, uid, status={"phase": "full"})
        same = await cloud.resources.set_status(tx, uid, status={"phase": "full"}, state="active")
        emptied = await cloud.resources.set_status(tx, uid, status={"phase": None})
    assert (same.version, emptied.version, emptied.status) == (2, 3, {})


async def test_an_unknown_uid_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(NotFound):
        async with cloud.db.transaction() as tx:
            await cloud.resources.by_uid(tx, uuid.uuid4())
