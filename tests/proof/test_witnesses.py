"""Witnesses: tables that no longer say what was logged of them are named, with both values."""

import pytest

from skerry.kernel import changes
from skerry.proof import audit


@pytest.fixture
async def prices(cloud, no_foreign_witnesses):
    """A package with a table of its own, and one change that tells of each row."""
    await cloud.db.execute("create table price (name text primary key, about json not null)")

    @changes.witness("price")
    async def rebuild(tx, subject):
        return await tx.fetchval("select about from price where name = $1", subject)

    async def put(name, about, version=1):
        async with cloud.db.transaction() as tx:
            await tx.execute(
                "insert into price values ($1, $2) on conflict (name) do update set about = $2",
                name, about,
            )  # fmt: skip
            await changes.record(
                tx, kind="price", subject=name, verb="put", tenant="", actor="", body=about,
                version=version,
            )  # fmt: skip

    for number in range(3):
        await put(f"p{number}", {"nano": 10 * number, "tags": ["a", {"b/c": 1}]})
    await cloud.sequence()
    await cloud.log.publish()
    cloud.put = put
    return cloud


async def test_tables_that_say_what_was_logged_are_clean(prices, found):
    assert await found() == []
    # The last change counts, not the first.
    await prices.put("p1", {"nano": 11}, version=2)
    assert await found() == []


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"nano": 999, "tags": ["a", {"b/c": 1}]}, "/nano is 999, the log has 10"),
        ({"nano": 10, "tags": ["a", {"b/c": 2}]}, "/tags/1/b~1c is 2, the log has 1"),
        ({"nano": 10, "tags": ["a"]}, '/tags is ["a"], the log has ["a",{"b/c":1}]'),
        ({"nano": 10}, '/tags is gone, the log has ["a",{"b/c":1}]'),
        ({"nano": 10, "tags": ["a", {"b/c": 1}], "x": None}, "/x is null, the log has none"),
        ({"nano": "10", "tags": ["a", {"b/c": 1}]}, '/nano is "10", the log has 10'),
    ],
)
async def test_an_altered_row_is_named_with_both_values(prices, about, said, found):
    await prices.db.execute("update price set about = $1 where name = 'p1'", about)
    assert await found() == [f"price p1: {said}"]


async def test_a_removed_row_is_named_unless_its_removal_was_logged(prices, found):
    await prices.db.execute("delete from price where name = 'p1'")
    assert await found() == ["price p1: is gone from its table"]
    await prices.published(1, kind="price", subject="p1", verb="deleted", body={})
    # A later life is not held against an earlier one's higher version.
    await prices.db.execute("update change set version = 9 where verb = 'deleted'")
    assert all("altered: version" in one for one in await found())


async def test_a_second_life_under_the_same_name(prices, found):
    await prices.put("again", {"uid": "first", "nano": 1}, version=7)
    await prices.db.execute("delete from price where name = 'again'")
    await prices.put("again", {"uid": "second", "nano": 2}, version=1)
    assert await found() == []


async def test_a_package_can_name_what_differs_inside(prices, found):
    @audit.explain("price")
    async def sentences(tx, subject):
        return [f"usage row 7 of {subject} was altered"]

    await prices.db.execute("update price set about = '{}' where name = 'p1'")
    said = await found()
    assert said[0] == "price p1: usage row 7 of p1 was altered"
    assert len(said) == 3


async def test_a_row_that_cannot_be_read_is_a_finding(prices, found):
    async def rebuild(tx, subject):
        return {"nano": int("x" + subject)}

    changes.WITNESSES["price"] = rebuild
    said = await found()
    assert len(said) == 3
    assert "cannot be rebuilt from its table" in said[0]


async def test_a_body_that_is_no_json_is_a_finding(prices, found):
    await prices.db.execute("update change set body = 'x' where subject = 'p1'")
    said = await found()
    assert any("cannot be rebuilt" in one for one in said)
    await prices.db.execute("update change set body = '{\"nano\": 0}' where subject = 'p1'")
    await prices.db.execute("update price set about = '{\"nano\":0}' where name = 'p1'")
    assert any("not in canonical form" in one for one in await found())


async def test_many_differences_are_counted_not_listed(prices, found):
    await prices.db.execute(
        "update price set about = $1 where name = 'p1'", {str(n): n for n in range(30)}
    )
    said = await found()
    assert len(said) == audit.MOST_DIFFERENCES + 1
    assert said[-1] == "price p1: and 24 more differences"


async def test_a_resource_that_no_change_tells_of_is_named(cloud, found):
    columns = {
        "kind": "job", "ref": "x/jobs/a", "name": "a", "tenant": "t", "workspace": "w",
        "region": "r", "parent_ref": "x", "created_by": "u", "labels": {}, "annotations": {},
        "extensions": {}, "spec": {}, "spec_version": "v1", "status": {}, "state": "active",
        "conditions": [], "version": 1, "generation": 1,
    }  # fmt: skip
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    await cloud.db.execute(
        f"insert into resource (uid, root_uid, created_at, modified_at, {', '.join(columns)}) "
        f"values (gen_random_uuid(), gen_random_uuid(), now(), now(), {marks})",
        *columns.values(),
    )
    await cloud.log.publish()
    assert await found() == ["job x/jobs/a: stands in the table, but no change tells of it"]
