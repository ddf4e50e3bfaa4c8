"""The log: newly sequenced changes become tiles, then a signed checkpoint.

One ``publish`` goes tiles, consistency proof, signature, row in ``checkpoint``, file
``checkpoint``. Every step repeats harmlessly, so after a kill at any point the next publish
finishes the work. Nothing is signed that does not extend what was signed last: the proof of it is
computed from the tiles as they lie on disk, and checked, each time.

If database and directory tell different histories, the log refuses to sign anything
(``Disagreement``) until a person has looked: to sign then would be to vouch for one of two stories.
A directory that only lags behind, or is gone, is no disagreement: it is built again from the
database, and must arrive at the root that was signed.
"""

import asyncio
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn, TypeVar

import structlog

from skerry.kernel import alerts
from skerry.kernel.sequencer import FEED
from skerry.proof import tree
from skerry.proof.note import Signer, checkpoint_text, fast_check
from skerry.proof.tiles import CHECKPOINT, Disagreement, Tiles
from skerry.proof.tree import HEIGHT, TILE, Edge
from skerry.proof.verify import Checkpoint, Failed, open_note, read_checkpoint
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.database import Row as Record
from skerry.store.queries import load

_sql = load("skerry.proof")
_log = structlog.get_logger(__name__)

CHANNEL = "checkpoint"
BATCH = 64 * TILE
INTERVAL_SECONDS = 2.0
RETRY_SECONDS = 1.0
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}

T = TypeVar("T")


@dataclass(frozen=True)
class Published:
    """A signed checkpoint: what it says, its note, and when the database's clock saw it signed."""

    checkpoint: Checkpoint
    note: str
    at: datetime

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root


class Log:
    """The transparency log of one database, published in one directory."""

    def __init__(self, db: Database, directory: Path, signer: Signer) -> None:
        self.tiles = Tiles(directory)
        self.signer = signer
        self._db = db
        self._busy = asyncio.Lock()
        self._settled: Published | None = None
        self._edge = Edge()

    async def checkpoint(self) -> Published | None:
        """The newest signed checkpoint; None before the first ``publish``."""
        row = await self._db.fetchrow(_sql.latest_checkpoint)
        if row is None:
            return None
        checkpoint = Checkpoint(self.signer.name, row["size"], row["root"])
        return Published(checkpoint, row["note"], row["at"])

    async def witnessed(self, least: int = 0) -> Published | None:
        """The newest checkpoint that a witness has cosigned, if it has ``least`` leaves, else, and
        for no ``least``, the newest of all; its note has the cosignatures, too."""
        found = await self.checkpoint()
        if found is None:
            return None
        row = await self._db.fetchrow(_sql.newest_cosigned, least) if least else None
        if row is not None:
            found = Published(
                Checkpoint(self.signer.name, row["size"], row["root"]), row["note"], row["at"]
            )
        lines = await self._db.fetchval(_sql.cosignatures, found.size)
        return replace(found, note=found.note + (lines or ""))

    async def inclusion(self, position: int, size: int) -> list[bytes]:
        """The proof that a position is in the tree of ``size`` leaves.

        ValueError for a position or size that is not published, Disagreement where a tile that it
        needs is gone.
        """
        return (await self.inclusions([position], size))[0]

    async def inclusions(self, positions: Sequence[int], size: int) -> list[list[bytes]]:
        """The proofs of many positions in one tree; raises as ``inclusion`` does."""
        node = await self._published(size)
        return await self._reading(lambda: [tree.inclusion(p, size, node) for p in positions])

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of ``new`` leaves begins with ``old``; raises likewise."""
        node = await self._published(new)
        return await self._reading(lambda: tree.consistency(old, new, node))

    async def _published(self, size: int) -> tree.Node:
        last = await self.checkpoint()
        if last is None or size > last.size:
            raise ValueError(f"a tree of {size} leaves is not published yet")
        return self.tiles.node(last.size)

    async def _reading(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except FileNotFoundError as error:
            self._refuse(f"{error.filename} is missing")

    async def publish(self) -> Published:
        """Take every sequenced change into the log; the newest checkpoint.

        Raises Disagreement where database and directory differ.
        """
        async with self._busy:
            last, size = await self.checkpoint(), int(await self._db.fetchval(_sql.feed_size))
            if last is not None and last == self._settled and last.size == size:
                return last
            async with self.tiles.lock():
                last = await self.checkpoint()
                if last is None or last != self._settled:
                    last = await self._settle(last)
                while rows := await self._new_leaves(last):
                    last = await self._extend(last, rows)
            return last

    async def _settle(self, last: Published | None) -> Published:
        """Bring directory and memory to the last checkpoint of the database."""
        note = self.tiles.checkpoint()
        if note is not None:
            self._compare(self._open(note, CHECKPOINT), last)
        if last is None:
            self._edge = Edge()
            last = await self._sign(None, self._edge)
        else:
            self._open(last.note, "the last checkpoint in the database")
            try:
                self._edge = self.tiles.edge(last.size)
            except FileNotFoundError:
                self._edge = await self._rebuild(last.size)
            if self._edge.root() != last.root:
                self._refuse(f"the tree of {last.size} changes has not the root that was signed")
            if note != last.note:
                await _finish(lambda: self.tiles.write_checkpoint(last.note))
        self._settled = last
        return last

    def _open(self, note: str, what: str) -> Checkpoint:
        try:
            return read_checkpoint(open_note(note, self.signer.key, what, fast_check), what)
        except Failed as failed:
            self._refuse(f"{failed}; it was signed with another key, or altered")

    def _compare(self, published: Checkpoint, last: Published | None) -> None:
        if last is None or published.size > last.size:
            self._refuse(
                f"the directory has published {published.size} changes, the database knows of "
                f"{last.size if last else 0}: was it restored from an older backup?"
            )
        if published.size == last.size and published.root != last.root:
            self._refuse(f"directory and database have different trees of {last.size} changes")

    def _refuse(self, why: str) -> NoReturn:
        raise Disagreement(
            f"{self.tiles.directory}: {why}. Nothing is signed until this is settled. "
            f"`skerry audit verify` names what differs. If the database is right, move the "
            f"directory away: it is built again and checked against the signed checkpoint"
        )

    async def _rebuild(self, size: int) -> Edge:
        """Write every tile of a published tree again, from the database."""
        _log.warning("log.rebuilding", directory=str(self.tiles.directory), size=size)
        edge = Edge()
        while edge.size < size:
            rows = await self._db.fetch(_sql.leaves, edge.size, min(BATCH, size - edge.size))
            if not rows:
                self._refuse(f"the database has no change at position {edge.size}")
            entries = self._entries(rows, edge.size)
            edge = await self._write(edge, [], entries, partial=edge.size + len(entries) == size)
        await self._restore_partial(edge)
        return edge

    async def _restore_partial(self, edge: Edge) -> None:
        """Write the partial tiles that earlier checkpoints promised and no full one stands for."""
        first = edge.size - edge.size % TILE
        entries = [row["leaf"] for row in await self._db.fetch(_sql.leaves, first, TILE)]
        rows, bundles = [], []
        for row in edge.partial():
            for (width,) in await self._db.fetch(_sql.widths, HEIGHT * row.level, row.number):
                rows.append(row._replace(hashes=row.hashes[:width]))
                if row.level == 0:
                    bundles.append((row.number, entries[:width]))
        await _finish(lambda: self.tiles.write(rows, bundles))

    async def _new_leaves(self, last: Published) -> list[Record]:
        """The leaves after a checkpoint, with those of its last, partial tile before them."""
        first = last.size - last.size % TILE
        rows = await self._db.fetch(_sql.leaves, first, BATCH)
        return rows if len(rows) > last.size - first else []

    def _entries(self, rows: list[Record], first: int) -> list[bytes]:
        """The leaves of rows that follow each other from position ``first`` on."""
        for position, row in enumerate(rows, first):
            if row["position"] != position or row["leaf"] is None:
                self._refuse(f"the database has no change at position {position}")
        return [row["leaf"] for row in rows]

    async def _extend(self, last: Published, rows: list[Record]) -> Published:
        first = last.size - last.size % TILE
        entries = self._entries(rows, first)
        tail, entries = entries[: last.size - first], entries[last.size - first :]
        for position, (entry, leaf) in enumerate(zip(tail, self._edge.leaves, strict=True), first):
            if tree.leaf_hash(entry) != leaf:
                self._refuse(f"the change at position {position} is not the one that was published")
        edge = await self._write(self._edge, tail, entries, partial=True)
        signed = await self._sign(last, edge)
        self._edge, self._settled = edge, signed
        return signed

    async def _write(
        self, edge: Edge, tail: list[bytes], entries: list[bytes], *, partial: bool
    ) -> Edge:
        new = edge.copy()

        def work() -> None:
            rows = new.extend([tree.leaf_hash(entry) for entry in entries])
            rows += new.partial() if partial else []
            both, first = tail + entries, edge.size // TILE
            chunks = range(0, len(both), TILE)
            self.tiles.write(rows, [(first + i // TILE, both[i : i + TILE]) for i in chunks])

        await _finish(work)
        return new

    async def _sign(self, last: Published | None, edge: Edge) -> Published:
        """Sign the tree, keep the checkpoint, then publish it."""
        checkpoint = Checkpoint(self.signer.name, edge.size, edge.root())
        if last is not None:
            path = tree.consistency(last.size, edge.size, self.tiles.node(edge.size))
            sizes = last.size, edge.size
            if not tree.verify_consistency(*sizes, last.root, checkpoint.root, path):
                self._refuse(f"the tiles of {edge.size} changes do not extend those of {last.size}")
        note = self.signer.sign(checkpoint_text(checkpoint))
        async with self._db.transaction() as tx:
            await tx.execute(_sql.lock_checkpoints)
            row = await tx.fetchrow(_sql.latest_checkpoint)
            if (row and (row["size"], row["root"])) != (last and (last.size, last.root)):
                self._refuse("another process publishes this database elsewhere at the same time")
            at = await tx.fetchval(_sql.insert_checkpoint, edge.size, checkpoint.root, note)
        await _finish(lambda: self._announce(note, last, edge))
        self._db.notify(CHANNEL)
        return Published(checkpoint, note, at)

    def _announce(self, note: str, last: Published | None, edge: Edge) -> None:
        self.tiles.write_checkpoint(note)
        self.tiles.drop_partial(last.size if last else 0, edge.size)

    async def run(self, interval: float = INTERVAL_SECONDS) -> None:
        """Publish until cancelled: a checkpoint follows a change within about ``interval`` s.

        A log that refuses, or whose disk is full, is an alert until it publishes again.
        """
        woken = asyncio.Event()
        await self._db.listen(FEED, woken.set)
        told: str | None = None
        while True:
            woken.clear()
            try:
                problem = await self._attempt()
                if problem != told:
                    await self._tell(problem)
                told = problem
            except DATABASE_ERRORS as error:
                _log.warning("log.unavailable", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await asyncio.sleep(interval)
            try:
                async with asyncio.timeout(interval):
                    await woken.wait()
            except TimeoutError:
                continue

    async def _attempt(self) -> str:
        """Publish; what a person must see to if it could not."""
        try:
            await self.publish()
        except Disagreement as error:
            return str(error)
        except OSError as error:
            if error.errno not in DISK:
                raise
            return (
                f"{self.tiles.directory} cannot be written: {error.strerror}. Make room or mend it"
            )
        return ""

    async def _tell(self, problem: str) -> None:
        if problem:
            _log.error("log.stopped", problem=problem)
        async with self._db.transaction() as tx:
            await alerts.clear(tx, "log", "stopped")
            if problem:
                await alerts.raise_alert(
                    tx, subject="log", reason="stopped", message=problem,
                    remedy="Do what the message says; the log then goes on by itself.",
                )  # fmt: skip


async def _finish(work: Callable[[], T]) -> T:
    """Run in a thread, to its end even when cancelled: no file may be written after the lock."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
