"""The batching writer: many small transfers from many callers, few commits.

One at a time, transfers on a busy account reach some hundreds a second, since each waits for the
last one's commit. The writer collects what its callers submit while a batch is being written,
decides on up to 1,000 transfers in memory, stores them with one statement and their accounts with
another, and answers each caller after the commit. An advisory lock lets one writer write at a
time, however many processes there are.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from skerry.kernel.errors import TooLarge, Unavailable
from skerry.ledger.journal import Draft, load_books
from skerry.ledger.transfers import Result, Transfer
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.ledger", "writer.sql")


@dataclass
class _Waiting:
    chain: Sequence[Transfer]
    answer: asyncio.Future[list[Result]]


class Writer:
    """``run`` it as a task; ``submit`` from anywhere in the same loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._running = False

    async def submit(self, chain: Sequence[Transfer]) -> list[Result]:
        """Do a chain of linked transfers as a whole; the results come after the commit.

        A chain that is refused is answered, not raised. If the caller is cancelled the chain may
        still be done: submit it again, its ids make that safe. Raises ``TooLarge`` for more than
        1,000 transfers and ``Unavailable`` if the writer stops before it got there.
        """
        if len(chain) > Draft.MOST:
            raise TooLarge(f"{len(chain)} linked transfers; at most {Draft.MOST} fit in a batch")
        if not self._running:
            raise Unavailable("the ledger's writer is not running")
        waiting = _Waiting(chain, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.answer

    async def run(self) -> None:
        """Write batches until cancelled."""
        self._running = True
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await self._flush(self._take())
        finally:
            self._running = False
            _fail(list(self._queue), Unavailable("the ledger's writer has stopped"))
            self._queue.clear()

    def _take(self) -> list[_Waiting]:
        taken = [self._queue.popleft()]
        count = len(taken[0].chain)
        while self._queue and count + len(self._queue[0].chain) <= Draft.MOST:
            taken.append(self._queue.popleft())
            count += len(taken[-1].chain)
        return taken

    async def _flush(self, batch: list[_Waiting]) -> None:
        try:
            results = await self._write([waiting.chain for waiting in batch])
        except asyncio.CancelledError:
            _fail(batch, Unavailable("the ledger's writer has stopped"))
            raise
        except Exception as error:  # noqa: BLE001 - it is the callers' to handle
            _fail(batch, error)
            return
        for waiting, answer in zip(batch, results, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _write(self, chains: list[Sequence[Transfer]]) -> list[list[Result]]:
        async with self._db.transaction() as tx:
            await tx.execute(_sql.one_writer)
            draft = await Draft.open(tx)
            books = await load_books(tx, [transfer for chain in chains for transfer in chain])
            results = [books.apply(chain) for chain in chains]
            await draft.store(books)
            await draft.seal()
        return results


def _fail(waiting: list[_Waiting], error: Exception) -> None:
    for one in waiting:
        if not one.answer.done():
            one.answer.set_exception(error)
