"""Publishing: proofs that hold, nothing signed that does not extend, and every crash survived."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from skerry.proof import audit, log, tree
from skerry.proof.log import Log
from skerry.proof.note import Signer
from skerry.proof.tiles import Disagreement
from skerry.proof.verify import open_note, read_checkpoint
from skerry.store import Database


async def clean(cloud):
    assert await audit.verify(cloud.db, cloud.directory, cloud.signer.vkey) == []


async def test_an_empty_log_has_a_checkpoint(cloud):
    assert await cloud.log.checkpoint() is None
    published = await cloud.log.publish()
    assert (published.size, published.root) == (0, tree.EMPTY)
    assert (cloud.directory / "checkpoint").read_text() == published.note
    assert await cloud.log.publish() == published
    await clean(cloud)


async def test_each_change_is_proved_and_each_checkpoint_extends_the_last(cloud):
    seen = [await cloud.log.publish()]
    for count in (1, 2, 250, 5, 300):
        await cloud.published(count)
        seen.append(await cloud.log.checkpoint())
    newest = seen[-1]
    assert newest.size == 558
    text = open_note((cloud.directory / "checkpoint").read_text(), cloud.signer.key, "file")
    assert read_checkpoint(text, "file") == newest.checkpoint
    leaves = await cloud.db.fetch(
        "select leaf from feed join change on id = change_id order by position"
    )
    for one in seen:
        for position in range(0, one.size, 37):
            path = await cloud.log.inclusion(position, one.size)
            leaf = tree.leaf_hash(leaves[position]["leaf"])
            assert tree.verify_inclusion(leaf, position, one.size, path, one.root)
        path = await cloud.log.consistency(one.size, newest.size)
        assert tree.verify_consistency(one.size, newest.size, one.root, newest.root, path)
    await clean(cloud)


async def test_batches_larger_than_one_round_are_published(cloud, monkeypatch):
    monkeypatch.setattr(log, "BATCH", 512)
    await cloud.published(1300)
    assert (await cloud.log.checkpoint()).size == 1300
    await clean(cloud)


async def test_no_proof_of_what_is_not_published(cloud):
    with pytest.raises(ValueError, match="not published"):
        await cloud.log.inclusion(0, 1)
    await cloud.published(3)
    for position, size in ((3, 3), (0, 4), (-1, 3)):
        with pytest.raises(ValueError, match=r"no leaf|not published"):
            await cloud.log.inclusion(position, size)
    with pytest.raises(ValueError, match="cannot begin"):
        await cloud.log.consistency(3, 2)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


async def _killed_at(cloud, monkeypatch, count, moment):
    """Publish, but die before the rename of that number; whether there was one."""
    left = moment

    def rename(self, target, real=Path.rename):
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        try:
            await cloud.log.publish()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("count", [1, 254, 300])
async def test_a_kill_between_any_two_files_is_made_good(cloud, monkeypatch, count):
    await cloud.published(3)
    total, moment = 3, 0
    while True:
        await cloud.record(count)
        await cloud.sequence()
        total += count
        killed = await _killed_at(cloud, monkeypatch, count, moment)
        await cloud.record(1)
        await cloud.sequence()
        total += 1
        published = await cloud.again().publish()
        assert published.size == total
        assert cloud.log.tiles.checkpoint() == published.note
        await clean(cloud)
        if not killed:
            break
        moment += 1
    assert moment >= 3


async def test_a_kill_before_the_checkpoint_file_is_made_good_without_news(cloud, monkeypatch):
    await cloud.published(3)
    await cloud.record(2)
    await cloud.sequence()
    # Tile, bundle, then the checkpoint: the third rename.
    assert await _killed_at(cloud, monkeypatch, 2, 2)
    signed = await cloud.log.checkpoint()
    assert signed.size == 5
    assert cloud.log.tiles.checkpoint() != signed.note
    assert await cloud.again().publish() == signed
    assert cloud.log.tiles.checkpoint() == signed.note
    await clean(cloud)


PUBLISHER = """
import asyncio, sys
from pathlib import Path
from skerry.kernel.changes import record
from skerry.kernel.sequencer import Sequencer
from skerry.proof.log import Log
from skerry.proof.note import Signer
from skerry.store import Database

async def main(url, directory, key):
    db = await Database.open(url, size=2)
    log = Log(db, Path(directory), Signer.open(Path(key), "skerry/test"))
    while True:
        async with db.transaction() as tx:
            for i in range(40):
                await record(tx, kind="a", subject="b", verb="put", tenant="t", actor="", body={})
        await Sequencer(db).run_once()
        print((await log.publish()).size, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_publisher_killed_for_real_loses_and_repeats_nothing(cloud, pg_url, tmp_path):
    key = tmp_path / "keys" / "log.key"
    reached = 0
    for pause in (0.0, 0.013, 0.029):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PUBLISHER, pg_url, cloud.directory, key,
            stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        for _ in range(3):
            reached = int(await process.stdout.readline())
        await asyncio.sleep(pause)
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    await cloud.sequence()
    published = await cloud.log.publish()
    assert published.size >= reached
    assert published.size == await cloud.db.fetchval("select count(*) from change")
    await clean(cloud)


async def test_cancelling_leaves_nothing_half_done(cloud):
    await cloud.record(3000)
    await cloud.sequence()
    for steps in range(40):
        task = asyncio.create_task(cloud.log.publish())
        for _ in range(steps):
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            break
    assert (await cloud.log.publish()).size == 3000
    await clean(cloud)


async def test_two_publishers_of_one_directory_take_turns(cloud, pg_url):
    other = await Database.open(pg_url)
    second = Log(other, cloud.directory, cloud.signer)
    for _ in range(6):
        await cloud.record(40)
        await cloud.sequence()
        sizes = await asyncio.gather(cloud.log.publish(), second.publish())
        assert sizes[0] == sizes[1]
    await other.close()
    await clean(cloud)


async def test_two_directories_of_one_database_are_refused(cloud, tmp_path, monkeypatch):
    await cloud.published(2)
    other = Log(cloud.db, tmp_path / "elsewhere", cloud.signer)
    await other.publish()
    await cloud.record(2)
    await cloud.sequence()
    # Both have read the same last checkpoint; whoever signs second finds it out of date.
    monkeypatch.setattr(Log, "checkpoint", _stale(await cloud.log.checkpoint()))
    await cloud.log.publish()
    with pytest.raises(Disagreement, match="another process"):
        await other.publish()


def _stale(last):
    async def checkpoint(self):
        return last

    return checkpoint


async def test_a_lost_directory_is_built_again(cloud, monkeypatch):
    monkeypatch.setattr(log, "BATCH", 512)
    await cloud.published(1100)
    await cloud.published(7)
    last = await cloud.log.checkpoint()
    cloud.directory.rename(cloud.directory.with_name("lost"))
    assert await cloud.again().publish() == last
    await cloud.published(5)
    await clean(cloud)


async def test_a_directory_from_a_backup_catches_up(cloud):
    await cloud.published(3)
    note = cloud.log.tiles.checkpoint()
    await cloud.published(400)
    (cloud.directory / "checkpoint").write_text(note)
    for path in ("tile/0/001.p/147", "tile/entries/001.p/147"):
        (cloud.directory / path).unlink()
    await cloud.again().publish()
    await clean(cloud)


async def _refused(cloud, why):
    with pytest.raises(Disagreement, match=why) as refusal:
        await cloud.again().publish()
    assert "audit verify" in str(refusal.value)
    before = await cloud.db.fetchval("select count(*) from checkpoint")
    await cloud.record(1)
    await cloud.sequence()
    with pytest.raises(Disagreement, match=why):
        await cloud.log.publish()
    assert await cloud.db.fetchval("select count(*) from checkpoint") == before


async def test_a_database_older_than_the_directory_is_refused(cloud):
    await cloud.published(3)
    await cloud.published(2)
    await cloud.db.execute("delete from checkpoint where size = 5")
    await _refused(cloud, "published 5 changes, the database knows of 3")
    await cloud.db.execute("delete from checkpoint")
    await _refused(cloud, "published 5 changes, the database knows of 0")


async def test_another_tree_of_the_same_size_is_refused(cloud):
    await cloud.published(3)
    await cloud.db.execute("update checkpoint set root = sha256('x') where size = 3")
    await _refused(cloud, "different trees of 3 changes")


async def test_an_altered_edge_is_refused(cloud):
    await cloud.published(3)
    path = cloud.directory / "tile/0/000.p/3"
    path.write_bytes(b"x" + path.read_bytes()[1:])
    await _refused(cloud, "has not the root that was signed")


async def test_an_altered_change_stops_the_next_checkpoint(cloud):
    await cloud.published(3)
    await cloud.db.execute("update change set leaf = leaf || ' ' where subject = 'things/1'")
    await cloud.record(1)
    await cloud.sequence()
    with pytest.raises(Disagreement, match=r"position \d is not the one that was published"):
        await cloud.log.publish()


async def test_a_hole_in_the_feed_stops_the_next_checkpoint(cloud):
    await cloud.published(3)
    await cloud.record(3)
    await cloud.sequence()
    await cloud.db.execute("delete from feed where position = 4")
    with pytest.raises(Disagreement, match="no change at position 4"):
        await cloud.log.publish()


async def test_a_history_that_cannot_be_rebuilt_is_refused(cloud):
    await cloud.published(3)
    cloud.directory.rename(cloud.directory.with_name("lost"))
    await cloud.db.execute("update change set leaf = 'x' where subject = 'things/1'")
    await _refused(cloud, "has not the root that was signed")
    cloud.directory.rename(cloud.directory.with_name("lost again"))
    await cloud.db.execute("delete from feed")
    with pytest.raises(Disagreement, match="no change at position 0"):
        await cloud.again().publish()


async def test_an_altered_tile_below_is_noticed_before_signing(cloud):
    await cloud.published(300)
    path = cloud.directory / "tile/1/000.p/1"
    path.write_bytes(bytes(32))
    await cloud.record(300)
    await cloud.sequence()
    with pytest.raises(Disagreement, match="has not the root"):
        await cloud.again().publish()


async def test_memory_gone_wrong_is_noticed_before_signing(cloud):
    await cloud.published(300)
    cloud.log._edge._rows[1][0] = bytes(32)
    await cloud.record(300)
    await cloud.sequence()
    with pytest.raises(Disagreement, match="do not extend"):
        await cloud.log.publish()
    assert (await cloud.log.checkpoint()).size == 300


async def test_another_key_is_refused(cloud, tmp_path):
    await cloud.published(3)
    cloud.signer = Signer.open(tmp_path / "other.key", "skerry/test")
    await _refused(cloud, "signed with another key")
    (cloud.directory / "checkpoint").unlink()
    await _refused(cloud, "signed with another key")


async def test_a_missing_tile_is_named_in_place_of_a_proof(cloud):
    await cloud.published(3)
    (cloud.directory / "tile/0/000.p/3").unlink()
    with pytest.raises(Disagreement, match="tile/0/000 is missing"):
        await cloud.log.inclusion(0, 3)
