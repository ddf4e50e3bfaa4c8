"""The audit: whatever is altered behind Skerry's back is named, and nothing else is."""

import asyncio
import json

import pytest

from skerry.kernel import changes
from skerry.proof import audit, findings, log, recompute
from skerry.proof.findings import Finding, differences
from skerry.proof.note import checkpoint_text
from skerry.proof.tree import leaf_hash
from skerry.proof.verify import Checkpoint, Unreadable


@pytest.fixture(autouse=True)
def _no_foreign_witnesses(monkeypatch):
    """These tests bring witnesses of their own."""
    monkeypatch.setattr(changes, "WITNESSES", {})
    monkeypatch.setattr(audit, "WITNESSES", changes.WITNESSES)
    monkeypatch.setattr(audit, "EXPLAINS", {})


async def found(cloud):
    return [str(one) for one in await audit.verify(cloud.db, cloud.directory, cloud.signer.vkey)]


@pytest.fixture
async def history(cloud):
    """Three checkpoints over 310 changes: full, partial and upper tiles."""
    for count in (3, 300, 7):
        await cloud.published(count, subject="providers/x/workspaces/w1/things/a", workspace="w1")
    return cloud


async def test_an_untouched_history_is_clean(history):
    assert await found(history) == []
    # Sequenced, not yet published: no difference either.
    await history.record(300)
    assert await found(history) == []
    await history.sequence()
    assert await found(history) == []


async def test_a_flipped_byte_in_each_file_is_named(history):
    names = [path for path in history.log.tiles.files() if path != "checkpoint"]
    assert len(names) >= 7
    for name in names:
        path = history.directory / name
        good = path.read_bytes()
        for at in {0, 1, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            said = await found(history)
            assert said, (name, at)
            assert all(one.startswith(name) for one in said), (name, at, said)
        path.write_bytes(good)
    assert await found(history) == []


async def test_which_entry_of_a_tile_was_altered_is_said(history):
    path = history.directory / "tile/0/001.p/54"
    data = bytearray(path.read_bytes())
    for offset in (3, 4):
        data[offset * 32] ^= 1
    path.write_bytes(data)
    assert await found(history) == ["tile/0/001.p/54: was altered at position 259, 260"]


async def test_missing_cut_and_alien_files_are_named(history):
    for name in ("tile/0/000", "tile/entries/001.p/54", "tile/1/000.p/1"):
        path = history.directory / name
        good = path.read_bytes()
        path.unlink()
        said = await found(history)
        assert f"{name}: the file is missing" in said
        assert all(one.startswith(name) for one in said)
        path.write_bytes(good[:-5])
        said = await found(history)
        assert all(one.startswith(name) for one in said)
        path.write_bytes(good + good[:32])
        assert all(one.startswith(name) for one in await found(history))
        path.write_bytes(good)
    (history.directory / "tile/0/notes.txt").write_text("x")
    (history.directory / "tile/0/009").write_bytes(bytes(8192))
    assert await found(history) == [
        "tile/0/notes.txt: is not a file of the log",
        "tile/0/009: lies beyond the end of the log",
    ]


async def test_a_partial_tile_that_a_checkpoint_promised_is_missed(cloud):
    await cloud.published(3)
    await cloud.published(2)
    (cloud.directory / "tile/0/000.p/3").unlink()
    assert await found(cloud) == ["tile/0/000.p/3: the file is missing"]


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("kind", "'bill'", "kind"),
        ("verb", "'take'", "verb"),
        ("version", "77", "version"),
        ("at", "at + interval '1 us'", "at"),
        ("subject", "'providers/x/workspaces/w1/things/b'", "subject"),
        ("tenant", "'evil'", "tenant"),
        ("actor", "'bob@acme'", "actor"),
        ("body", "body || ' '", "body"),
        ("salt", "sha256('x')", "salt"),
        ("workspace", "'w2'", "workspace"),
    ],
)
async def test_every_altered_column_of_a_change_is_named(history, column, value, named):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    await history.db.execute(f"update change set {column} = {value} where id = $1", id)
    (said,) = await found(history)
    assert said.startswith(f"change {id} (")
    assert said.endswith(f"position 5): altered: {named}")


async def test_an_altered_identity_is_named(history):
    await history.db.execute("alter table feed drop constraint feed_change_id_fkey")
    id = await history.db.fetchval("select change_id from feed where position = 5")
    await history.db.execute("update change set id = gen_random_uuid() where id = $1", id)
    said = await found(history)
    assert f"position 5: change {id} was removed" in said


async def test_an_altered_leaf_is_told_from_what_was_published(history):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    for leaf in ("leaf || ' '", "'{}'", "'nonsense'", "'[]'", r"'\xff'"):
        before = await history.db.fetchval("select leaf from change where id = $1", id)
        await history.db.execute(f"update change set leaf = {leaf} where id = $1", id)
        said = await found(history)
        assert said[-1] == "position 5: the change is not the one that was published"
        await history.db.execute("update change set leaf = $2 where id = $1", id, before)


async def test_a_change_rewritten_with_a_fitting_leaf_is_named(history):
    row = await history.db.fetchrow(
        "select change.* from feed join change on id = change_id where position = 5"
    )
    body = '{"number":1000000}'
    told = {name: row[name] for name in recompute.LEAF_OF} | {"body": body}
    await history.db.execute(
        "update change set body = $2, leaf = $3 where id = $1",
        row["id"], body, changes.leaf_of(**told),
    )  # fmt: skip
    assert await found(history) == ["position 5: the change is not the one that was published"]


async def test_a_history_rewritten_everywhere_is_betrayed_by_the_tile_above(history):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    leaf = await history.db.fetchval("select leaf from change where id = $1", id)
    forged = leaf.replace(b'"verb":"put"', b'"verb":"get"')
    assert forged != leaf
    await history.db.execute("update change set leaf = $2, verb = 'get' where id = $1", id, forged)
    for name in ("tile/entries/000", "tile/0/000"):
        path = history.directory / name
        data = path.read_bytes().replace(leaf, forged)
        path.write_bytes(data.replace(leaf_hash(leaf), leaf_hash(forged)))
    said = await found(history)
    assert said == [
        "tile/1/000.p/1: was altered: hash 0 is not that of the tile below it",
        "checkpoint 303: the root that was signed is not that of the leaves before it (the same "
        "for 1 later checkpoints)",
    ]


async def test_removed_feed_rows_are_named(history):
    id = await history.db.fetchval("delete from feed where position = 5 returning change_id")
    await history.published(1)
    said = await found(history)
    assert said[0] == "position 5: is missing from the feed: its row was removed"
    # The sequencer's cursor is past it.
    assert any(f"change {id} " in one and "lost its position" in one for one in said)


async def test_a_cut_feed_is_named(history):
    await history.db.execute("delete from feed where position >= 308")
    said = await found(history)
    assert "feed: ends at 308 changes, but a checkpoint of 310 was signed" in said


async def test_a_position_that_nothing_tells_of(history):
    await history.db.execute("delete from feed where position = 308")
    for name in ("tile/0/001.p/54", "tile/entries/001.p/54"):
        (history.directory / name).unlink()
    said = await found(history)
    assert "tile/0/001.p/54: the file is missing" in said
    assert any("root that was signed is not" in one for one in said)


async def test_altered_checkpoints_are_named(history, tmp_path):
    db = history.db
    notes = {row["size"]: row for row in await db.fetch("select * from checkpoint")}

    async def said(sql, *args):
        await db.execute(sql, *args)
        result = await found(history)
        for size, row in notes.items():
            await db.execute(
                "update checkpoint set note = $2, root = $3 where size = $1",
                size, row["note"], row["root"],
            )  # fmt: skip
        return result

    forged = "update checkpoint set note = $1 where size = 3"
    assert await said(forged, notes[3]["note"].replace("\n3\n", "\n4\n")) == [
        "checkpoint 3: the signature does not fit: the text was altered"
    ]
    assert await said(forged, notes[303]["note"]) == [
        "checkpoint 3: its row differs from its signed note, of 303 changes"
    ]
    foreign = history.signer.sign(checkpoint_text(Checkpoint("skerry/else", 3, bytes(32))))
    assert await said(forged, foreign) == [
        "checkpoint 3: is of the log 'skerry/else', not of 'skerry/test'"
    ]
    result = await said("update checkpoint set root = sha256('x') where size = 3")
    assert "its row differs" in result[0]
    assert "root that was signed is not" in result[1]


async def test_the_checkpoint_file_is_held_against_the_database(history):
    path = history.directory / "checkpoint"
    good = path.read_text()
    older = await history.db.fetchval("select note from checkpoint where size = 303")
    path.write_text(older)
    assert await found(history) == [
        "checkpoint: the file is not the newest that was signed, of 310"
    ]
    path.write_text(good.replace("310", "311"))
    assert await found(history) == ["checkpoint: the signature does not fit: the text was altered"]
    path.unlink()
    assert await found(history) == ["checkpoint: the file is missing"]
    path.write_text(good)
    await history.db.execute("delete from checkpoint where size = 310")
    said = await found(history)
    assert said[0] == "checkpoint: the file tells of 310 changes, more than the database"


async def test_a_key_that_is_none_is_refused(cloud):
    with pytest.raises(Unreadable, match="the key must read"):
        await audit.verify(cloud.db, cloud.directory, "nonsense")


async def test_the_audit_reads_in_pages(history, monkeypatch):
    monkeypatch.setattr(recompute, "PAGE", 256)
    assert await found(history) == []


async def test_an_audit_beside_a_running_cloud_is_clean(cloud, monkeypatch):
    monkeypatch.setattr(log, "BATCH", 256)
    await cloud.published(100)
    for _ in range(5):
        await cloud.record(200)
        await cloud.sequence()
        _, said = await asyncio.gather(cloud.log.publish(), found(cloud))
        assert said == []


# Witnesses.


@pytest.fixture
async def prices(cloud):
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


async def test_tables_that_say_what_was_logged_are_clean(prices):
    assert await found(prices) == []
    # The last change counts, not the first.
    await prices.put("p1", {"nano": 11}, version=2)
    assert await found(prices) == []


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
async def test_an_altered_row_is_named_with_both_values(prices, about, said):
    await prices.db.execute("update price set about = $1 where name = 'p1'", about)
    assert await found(prices) == [f"price p1: {said}"]


async def test_a_removed_row_is_named_unless_its_removal_was_logged(prices):
    await prices.db.execute("delete from price where name = 'p1'")
    assert await found(prices) == ["price p1: is gone from its table"]
    await prices.published(1, kind="price", subject="p1", verb="deleted", body={})
    # A later life is not held against an earlier one's higher version.
    await prices.db.execute("update change set version = 9 where verb = 'deleted'")
    assert all("altered: version" in one for one in await found(prices))


async def test_a_second_life_under_the_same_name(prices):
    await prices.put("again", {"uid": "first", "nano": 1}, version=7)
    await prices.db.execute("delete from price where name = 'again'")
    await prices.put("again", {"uid": "second", "nano": 2}, version=1)
    assert await found(prices) == []


async def test_a_package_can_name_what_differs_inside(prices):
    @audit.explain("price")
    async def sentences(tx, subject):
        return [f"usage row 7 of {subject} was altered"]

    await prices.db.execute("update price set about = '{}' where name = 'p1'")
    said = await found(prices)
    assert said[0] == "price p1: usage row 7 of p1 was altered"
    assert len(said) == 3


async def test_a_row_that_cannot_be_read_is_a_finding(prices):
    async def rebuild(tx, subject):
        return {"nano": int("x" + subject)}

    changes.WITNESSES["price"] = rebuild
    said = await found(prices)
    assert len(said) == 3
    assert "cannot be rebuilt from its table" in said[0]


async def test_a_body_that_is_no_json_is_a_finding(prices):
    await prices.db.execute("update change set body = 'x' where subject = 'p1'")
    said = await found(prices)
    assert any("cannot be rebuilt" in one for one in said)
    await prices.db.execute("update change set body = '{\"nano\": 0}' where subject = 'p1'")
    await prices.db.execute("update price set about = '{\"nano\":0}' where name = 'p1'")
    assert any("not in canonical form" in one for one in await found(prices))


async def test_many_differences_are_counted_not_listed(prices):
    await prices.db.execute(
        "update price set about = $1 where name = 'p1'", {str(n): n for n in range(30)}
    )
    said = await found(prices)
    assert len(said) == audit.MOST_DIFFERENCES + 1
    assert said[-1] == "price p1: and 24 more differences"


async def test_a_resource_that_no_change_tells_of_is_named(cloud):
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
    assert await found(cloud) == ["job x/jobs/a: stands in the table, but no change tells of it"]


def test_findings_past_the_first_thousand_are_counted(monkeypatch):
    monkeypatch.setattr(findings, "MOST", 2)
    some = findings.Findings()
    for number in range(5):
        some.add("x", str(number))
    assert some.all()[:2] == [Finding("x", "0"), Finding("x", "1")]
    assert some.all()[2:] == [Finding("audit", "3 more differences are not listed")]


def test_differences_of_whole_values():
    assert list(differences(1, 1)) == []
    assert list(differences(1, True)) == ["the whole is true, the log has 1"]
    long = json.dumps("x" * 200)
    (said,) = differences("x" * 200, 1)
    assert said.endswith(f"{long[:77]}...")


def test_long_lists_are_cut():
    assert findings.listed([1, 2]) == "1, 2"
    assert findings.listed(list(range(9))) == "0, 1, 2, 3, 4 and 4 more"
