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


@pytest.fixture
async def history(cloud):
    """Three checkpoints over 310 changes: full, partial and upper tiles."""
    for count in (3, 300, 7):
        await cloud.published(count, subject="providers/x/workspaces/w1/things/a", workspace="w1")
    return cloud


async def test_an_untouched_history_is_clean(history, found):
    assert await found() == []
    # Sequenced, not yet published: no difference either.
    await history.record(300)
    assert await found() == []
    await history.sequence()
    assert await found() == []


async def test_a_flipped_byte_in_each_file_is_named(history, found):
    names = [path for path in history.log.tiles.files() if path != "checkpoint"]
    assert len(names) >= 7
    for name in names:
        path = history.directory / name
        good = path.read_bytes()
        for at in {0, 1, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            said = await found()
            assert said, (name, at)
            assert all(one.startswith(name) for one in said), (name, at, said)
        path.write_bytes(good)
    assert await found() == []


async def test_which_entry_of_a_tile_was_altered_is_said(history, found):
    path = history.directory / "tile/0/001.p/54"
    data = bytearray(path.read_bytes())
    for offset in (3, 4):
        data[offset * 32] ^= 1
    path.write_bytes(data)
    assert await found() == ["tile/0/001.p/54: was altered at position 259, 260"]


async def test_missing_cut_and_alien_files_are_named(history, found):
    for name in ("tile/0/000", "tile/entries/001.p/54", "tile/1/000.p/1"):
        path = history.directory / name
        good = path.read_bytes()
        path.unlink()
        said = await found()
        assert f"{name}: the file is missing" in said
        assert all(one.startswith(name) for one in said)
        path.write_bytes(good[:-5])
        said = await found()
        assert all(one.startswith(name) for one in said)
        path.write_bytes(good + good[:32])
        assert all(one.startswith(name) for one in await found())
        path.write_bytes(good)
    (history.directory / "tile/0/notes.txt").write_text("x")
    (history.directory / "tile/0/009").write_bytes(bytes(8192))
    assert await found() == [
        "tile/0/notes.txt: is not a file of the log",
        "tile/0/009: lies beyond the end of the log",
    ]


async def test_a_partial_tile_that_a_checkpoint_promised_is_missed(cloud, found):
    await cloud.published(3)
    await cloud.published(2)
    (cloud.directory / "tile/0/000.p/3").unlink()
    assert await found() == ["tile/0/000.p/3: the file is missing"]


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
async def test_every_altered_column_of_a_change_is_named(history, column, value, named, found):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    await history.db.execute(f"update change set {column} = {value} where id = $1", id)
    (said,) = await found()
    assert said.startswith(f"change {id} (")
    assert said.endswith(f"position 5): altered: {named}")


async def test_an_altered_identity_is_named(history, found):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    await history.db.execute("update change set id = gen_random_uuid() where id = $1", id)
    said = await found()
    assert f"position 5: change {id} was removed" in said


async def test_an_altered_leaf_is_told_from_what_was_published(history, found):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    for leaf in ("leaf || ' '", "'{}'", "'nonsense'", "'[]'", r"'\xff'"):
        before = await history.db.fetchval("select leaf from change where id = $1", id)
        await history.db.execute(f"update change set leaf = {leaf} where id = $1", id)
        said = await found()
        assert said[-1] == "position 5: the change is not the one that was published"
        await history.db.execute("update change set leaf = $2 where id = $1", id, before)


async def test_a_change_rewritten_with_a_fitting_leaf_is_named(history, found):
    row = await history.db.fetchrow(
        "select change.* from feed join change on id = change_id where position = 5"
    )
    body = '{"number":1000000}'
    told = {name: row[name] for name in recompute.LEAF_OF} | {"body": body}
    await history.db.execute(
        "update change set body = $2, leaf = $3 where id = $1",
        row["id"], body, changes.leaf_of(**told),
    )  # fmt: skip
    assert await found() == ["position 5: the change is not the one that was published"]


async def test_a_history_rewritten_everywhere_is_betrayed_by_the_tile_above(history, found):
    id = await history.db.fetchval("select change_id from feed where position = 5")
    leaf = await history.db.fetchval("select leaf from change where id = $1", id)
    forged = leaf.replace(b'"verb":"put"', b'"verb":"get"')
    assert forged != leaf
    await history.db.execute("update change set leaf = $2, verb = 'get' where id = $1", id, forged)
    for name in ("tile/entries/000", "tile/0/000"):
        path = history.directory / name
        data = path.read_bytes().replace(leaf, forged)
        path.write_bytes(data.replace(leaf_hash(leaf), leaf_hash(forged)))
    said = await found()
    assert said == [
        "tile/1/000.p/1: was altered: hash 0 is not that of the tile below it",
        "checkpoint 303: the root that was signed is not that of the leaves before it (the same "
        "for 1 later checkpoints)",
    ]


async def test_removed_feed_rows_are_named(history, found):
    id = await history.db.fetchval("delete from feed where position = 5 returning change_id")
    await history.published(1)
    said = await found()
    assert said[0] == "position 5: is missing from the feed: its row was removed"
    # The sequencer's cursor is past it.
    assert any(f"change {id} " in one and "lost its position" in one for one in said)


async def test_a_cut_feed_is_named(history, found):
    await history.db.execute("delete from feed where position >= 308")
    said = await found()
    assert "feed: ends at 308 changes, but a checkpoint of 310 was signed" in said


async def test_a_position_that_nothing_tells_of(history, found):
    await history.db.execute("delete from feed where position = 308")
    for name in ("tile/0/001.p/54", "tile/entries/001.p/54"):
        (history.directory / name).unlink()
    said = await found()
    assert "tile/0/001.p/54: the file is missing" in said
    assert any("root that was signed is not" in one for one in said)


async def test_altered_checkpoints_are_named(history, tmp_path, found):
    db = history.db
    notes = {row["size"]: row for row in await db.fetch("select * from checkpoint")}

    async def said(sql, *args):
        await db.execute(sql, *args)
        result = await found()
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


async def test_the_checkpoint_file_is_held_against_the_database(history, found):
    path = history.directory / "checkpoint"
    good = path.read_text()
    older = await history.db.fetchval("select note from checkpoint where size = 303")
    path.write_text(older)
    assert await found() == ["checkpoint: the file is not the newest that was signed, of 310"]
    path.write_text(good.replace("310", "311"))
    assert await found() == ["checkpoint: the signature does not fit: the text was altered"]
    path.unlink()
    assert await found() == ["checkpoint: the file is missing"]
    path.write_text(good)
    await history.db.execute("delete from checkpoint where size = 310")
    said = await found()
    assert said[0] == "checkpoint: the file tells of 310 changes, more than the database"


async def test_a_key_that_is_none_is_refused(cloud):
    with pytest.raises(Unreadable, match="the key must read"):
        await audit.verify(cloud.db, cloud.directory, "nonsense")


async def test_the_audit_reads_in_pages(history, monkeypatch, found):
    monkeypatch.setattr(recompute, "PAGE", 256)
    assert await found() == []


async def test_an_audit_beside_a_running_cloud_is_clean(cloud, monkeypatch, found):
    monkeypatch.setattr(log, "BATCH", 256)
    await cloud.published(100)
    for _ in range(5):
        await cloud.record(200)
        await cloud.sequence()
        _, said = await asyncio.gather(cloud.log.publish(), found())
        assert said == []


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
