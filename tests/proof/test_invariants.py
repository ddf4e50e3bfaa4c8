"""The log under any sequence of what can happen to it, with a crash between any two files.

Invariant 13: for m <= n consistency(m, n) verifies; every leaf's inclusion verifies; any flipped
byte fails; log entries and changes are one to one. Invariant 14: after a crash that holds again.

One sequence is the history of one cloud, with a directory of its own.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from skerry.kernel.sequencer import Sequencer
from skerry.proof import tree
from skerry.proof.note import Signer
from skerry.proof.tiles import Disagreement, Tiles, path_of
from skerry.store import Database
from tests.dying import Killed
from tests.harness.sequences import run_sequences
from tests.proof.conftest import Cloud

MANY = 200
LONG = 3_000
"""Sequences: 500 and 10,000 with those of ledger and market."""


class Life(RuleBasedStateMachine):
    loop: Any
    cloud: Cloud
    place: Path

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, bytes]] = []
        self.recorded: list[Any] = []
        self.crash: int | None = None
        self.loop(self.publish_first())

    async def publish_first(self) -> None:
        for table in ("checkpoint", "feed", "change"):
            await self.cloud.db.execute(f"delete from {table}")
            # Or what is left of thousands of histories would be read through each time.
            await self.cloud.db.execute(f"vacuum {table}")
        await self.cloud.db.execute("update sequencer set xid = '0', version = 0")
        self.cloud.directory = Path(tempfile.mkdtemp(dir=self.place))
        self.cloud.again()
        await self._publish()

    async def _publish(self) -> None:
        self.seen.append(await self._checkpoint())

    async def _checkpoint(self) -> tuple[int, bytes]:
        last = await self.cloud.log.publish()
        return last.size, last.root

    @rule(count=st.sampled_from((1, 2, 3, 255, 256, 300)))
    def changes_are_recorded(self, count: int) -> None:
        self.recorded += self.loop(self.cloud.record(count))

    @rule(count=st.integers(1, 3))
    def a_writer_rolls_back(self, count: int) -> None:
        async def work() -> None:
            async with self.cloud.db.transaction() as tx:
                await tx.execute("insert into change select gen_random_uuid(), xid, at, kind,"
                                 " subject, verb, tenant, workspace, actor, version, body, salt,"
                                 " leaf from change limit $1", count)  # fmt: skip
                raise Killed

        with pytest.raises(Killed):
            self.loop(work())

    @rule()
    def the_sequencer_runs(self) -> None:
        self.loop(Sequencer(self.cloud.db, batch=200).run_once())

    @rule()
    def the_log_publishes(self) -> None:
        self.loop(self._publish())

    @rule(files=st.integers(0, 3))
    def the_log_dies(self, files: int) -> None:
        """Before its n-th file stands in its place; another process goes on."""
        left = files
        rename = Path.rename

        def dying(source: Path, target: Path) -> Path:
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            return rename(source, target)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "rename", dying)
            try:
                self.loop(self._publish())
            except Killed:
                self.cloud.again()
        self.loop(self._publish())

    @rule(part=st.floats(0, 1, exclude_max=True))
    def each_checkpoint_extends_the_last_and_proves_its_leaves(self, part: float) -> None:
        self.loop(self._proved(part))

    async def _proved(self, part: float) -> None:
        size, root = self.seen[-1]
        old, old_root = self.seen[int(part * len(self.seen))]
        path = await self.cloud.log.consistency(old, size)
        assert tree.verify_consistency(old, size, old_root, root, path)
        for number in range(len(path)):
            assert not tree.verify_consistency(old, size, old_root, root, flipped(path, number))
        if not size:
            return
        position = int(part * size)
        entry = await self.cloud.db.fetchval(
            "select c.leaf from feed f join change c on c.id = f.change_id where position = $1",
            position,
        )
        path, leaf = await self.cloud.log.inclusion(position, size), tree.leaf_hash(entry)
        assert tree.verify_inclusion(leaf, position, size, path, root)
        other = tree.leaf_hash(entry[:-1] + bytes([entry[-1] ^ 1]))
        assert not tree.verify_inclusion(other, position, size, path, root)
        for number in range(len(path)):
            assert not tree.verify_inclusion(leaf, position, size, flipped(path, number), root)

    def teardown(self) -> None:
        self.loop(self._one_to_one())

    async def _one_to_one(self) -> None:
        await self.cloud.sequence()
        await self._publish()
        rows = await self.cloud.db.fetch(
            "select f.position, f.change_id, c.leaf from feed f join change c"
            " on c.id = f.change_id order by f.position"
        )
        assert [row["position"] for row in rows] == list(range(len(rows)))
        ids = [row["change_id"] for row in rows]
        assert len(ids) == len(set(ids)) == len(self.recorded)
        assert set(ids) == set(self.recorded)
        assert self.seen[-1] == (len(rows), tree.root([tree.leaf_hash(r["leaf"]) for r in rows]))
        for (old, old_root), (new, new_root) in zip(self.seen, self.seen[1:], strict=False):
            path = await self.cloud.log.consistency(old, new)
            assert tree.verify_consistency(old, new, old_root, new_root, path)
        if rows:
            await self._a_flipped_byte_fails(len(rows))

    async def _a_flipped_byte_fails(self, size: int) -> None:
        """In the last tile: another process, which reads it, signs nothing."""
        tiles = Tiles(self.cloud.directory)
        level, number, width = next(iter(_last(size)))
        path = self.cloud.directory / path_of(level, number, width)
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.write_bytes(data)
        assert tiles.edge(size).root() != self.seen[-1][1] or width == tree.TILE
        if width < tree.TILE:
            with pytest.raises(Disagreement):
                await self.cloud.again().publish()


def flipped(path: list[bytes], number: int) -> list[bytes]:
    """The proof with one bit of one hash turned."""
    one = bytearray(path[number])
    one[0] ^= 1
    return [*path[:number], bytes(one), *path[number + 1 :]]


def _last(size: int) -> list[tuple[int, int, int]]:
    if size % tree.TILE:
        return [(0, size // tree.TILE, size % tree.TILE)]
    return [(0, size // tree.TILE - 1, tree.TILE)]


def _run(pg_url: str, sequences: int, steps: int) -> None:
    """Where the run's database is, which may be memory: what survives a power cut is not asked."""
    with (
        asyncio.Runner() as runner,
        tempfile.TemporaryDirectory(dir=os.environ["SKERRY_TEST_RUN"]) as name,
    ):
        directory = Path(name)
        db = runner.run(Database.open(pg_url))
        cloud_of = Cloud(db, directory, Signer.open(directory / "key", "skerry/test"))

        class Here(Life):
            loop = staticmethod(runner.run)
            cloud = cloud_of
            place = directory

        run_sequences(Here, sequences, steps)
        runner.run(db.close())


def test_any_sequence_keeps_the_invariants(pg_url: str) -> None:
    _run(pg_url, MANY, 6)


@pytest.mark.long
def test_any_of_very_many_sequences_keeps_the_invariants(pg_url: str) -> None:
    _run(pg_url, LONG, 10)
