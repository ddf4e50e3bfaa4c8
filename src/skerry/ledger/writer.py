"""The batching writer: many small transfers from many callers, few commits.

One at a time, transfers on a busy account reach some hundreds a second, since each waits for the
last one's commit. The writer collects what its callers submit while a batch is being written,
decides on up to 1,000 transfers in memory, stores them with one statement and their accounts with
another, and answers each caller after the commit. An advisory lock lets one writer write at a
time, however many processes there are.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from skerry.kernel.errors import TooLarge, Unavailable
from skerry.ledger.journal import Draft, load_books
from skerry.ledger.transfers import Result, Transfer
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.ledger", "writer.sql")


Chain = Sequence[Transfer]


@dataclass
class _Waiting:
    chains: list[Chain]
    size: int
    """Transfers in all of them."""
    answer: asyncio.Future[list[list[Result]]]


class Writer:
    """``run`` it as a task; ``submit`` from anywhere in the same loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._running = False

    async def submit(self, chain: Chain) -> list[Result]:
        """Do a chain of linked transfers as a whole; the results come after the commit.

        A chain that is refused is answered, not raised. If the caller is cancelled the chain may
        still be done: submit it again, its ids make that safe. Raises ``TooLarge`` for more than
        1,000 transfers and ``Unavailable`` if the writer stops before it got there.
        """
        return (await self.submit_all([chain]))[0]

    async def submit_all(self, chains: Iterable[Chain]) -> list[list[Result]]:
        """Do many chains, each as a whole by itself; their results in the same order. Raises as
        ``submit`` does; what was written by then stays."""
        groups = list(_groups(chains))
        if not self._running:
            raise Unavailable("the ledger's writer is not running")
        answers = []
        for group, size in groups:
            answer: asyncio.Future[list[list[Result]]] = asyncio.get_running_loop().create_future()
            self._queue.append(_Waiting(group, size, answer))
            answers.append(answer)
        self._wake.set()
        return [results for done in await asyncio.gather(*answers) for results in done]

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
        count = taken[0].size
        while self._queue and count + self._queue[0].size <= Draft.MOST:
            taken.append(self._queue.popleft())
            count += taken[-1].size
        return taken

    async def _flush(self, batch: list[_Waiting]) -> None:
        try:
            results = iter(await self._write([c for waiting in batch for c in waiting.chains]))
        except asyncio.CancelledError:
            _fail(batch, Unavailable("the ledger's writer has stopped"))
            raise
        except Exception as error:  # noqa: BLE001 - it is the callers' to handle
            _fail(batch, error)
            return
        for waiting in batch:
            answer = list(islice(results, len(waiting.chains)))
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _write(self, chains: list[Chain]) -> list[list[Result]]:
        async with self._db.transaction() as tx:
            await tx.execute(_sql.one_writer)
            draft = await Draft.open(tx)
            books = await load_books(tx, [transfer for chain in chains for transfer in chain])
            results = [books.apply(chain) for chain in chains]
            draft.take(books)
            await draft.seal()
        return results


def _groups(chains: Iterable[Chain]) -> Iterator[tuple[list[Chain], int]]:
    """The chains in runs that fit into a batch, with the transfers in each."""
    group: list[Chain] = []
    size = 0
    for chain in chains:
        if len(chain) > Draft.MOST:
            raise TooLarge(f"{len(chain)} linked transfers; at most {Draft.MOST} fit in a batch")
        if size + len(chain) > Draft.MOST:
            yield group, size
            group, size = [], 0
        group.append(chain)
        size += len(chain)
    if group:
        yield group, size


def _fail(waiting: list[_Waiting], error: Exception) -> None:
    for one in waiting:
        if not one.answer.done():
            one.answer.set_exception(error)
