"""Asking witnesses: each new checkpoint of this cloud is shown to those that the operator named.

A witness is asked at most every ``INTERVAL`` seconds, with the proof from what it cosigned last.
What it answers is checked and kept beside the checkpoint; receipts made from then on carry it. A
witness that can't be reached is an alert and holds nothing up. One that has seen another history
is an alert of its own: either this cloud was restored from an old backup, or it lied.
"""

import asyncio
import uuid
from dataclasses import dataclass

import structlog

from skerry.fetching import UNREACHABLE, Fetched, fetch
from skerry.kernel import alerts
from skerry.proof import witness
from skerry.proof.log import CHANNEL, Log, Published
from skerry.proof.note import fast_check
from skerry.proof.verify import COSIGNATURE, Failed, Key, cosigned
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.proof")
_log = structlog.get_logger(__name__)
INTERVAL = 10.0
SECONDS = 15.0
"""For one answer of a witness."""
MOST_READ = 1 << 14
ALONE, SPLIT = "not-cosigned", "another-history"
_REMEDY = {
    ALONE: "Look whether the witness runs and knows this cloud's key (skerry key); it is asked "
    "again by itself.",
    SPLIT: "Stop and compare: ask the witness's operator for the checkpoint it holds, and run "
    "skerry audit verify. A cloud restored from an old backup must say so to its witnesses.",
}


class Trouble(Exception):
    """Not cosigned, and why."""

    def __init__(self, why: str, reason: str = ALONE) -> None:
        super().__init__(why)
        self.reason = reason


@dataclass(frozen=True)
class Named:
    """A witness that the operator named."""

    uid: uuid.UUID
    name: str
    url: str
    key: Key


class Asking:
    """One of all nodes asks."""

    def __init__(self, db: Database, log: Log) -> None:
        self._db = db
        self._log = log

    async def run(self, interval: float = INTERVAL) -> None:
        """Ask until cancelled."""
        woken = asyncio.Event()
        await self._db.listen(CHANNEL, woken.set)
        while True:
            woken.clear()
            try:
                await self.once()
            except DATABASE_ERRORS as error:
                _log.warning("witnesses.unavailable", error=str(error))
            await asyncio.sleep(interval)
            try:
                async with asyncio.timeout(6 * interval):
                    await woken.wait()
            except TimeoutError:
                continue

    async def once(self) -> None:
        """Ask every witness that has not cosigned the newest checkpoint."""
        found = [
            Named(row["uid"], row["name"], row["spec"]["endpoint"],
                  Key.parse(row["spec"]["key"], COSIGNATURE))
            for row in await self._db.fetch(_sql.witnesses)
        ]  # fmt: skip
        newest = await self._log.checkpoint()
        if newest is None or not found:
            return
        async with asyncio.TaskGroup() as group:
            for one in found:
                group.create_task(self._turn(one, newest))

    async def _turn(self, asked: Named, newest: Published) -> None:
        last = await self._db.fetchrow(_sql.cosigned_by, [asked.uid])
        if last is not None and last["size"] >= newest.size:
            return
        problem: Trouble | None = None
        try:
            line = await self._asked(asked, newest, last["size"] if last else 0)
        except Trouble as trouble:
            problem = trouble
        async with self._db.transaction() as tx:
            subject = f"witness/{asked.name}"
            if problem is None:
                await tx.execute(_sql.insert_cosignature, asked.uid, newest.size, line)
                await tx.execute(_sql.drop_cosignatures, asked.uid)
                await alerts.clear(tx, subject)
                return
            reason = problem.reason
            await alerts.raise_alert(
                tx, subject=subject, reason=reason, message=str(problem), remedy=_REMEDY[reason]
            )

    async def _asked(self, asked: Named, newest: Published, old: int) -> str:
        """The witness's signature line. Raises ``Trouble``."""
        answer = await self._post(asked, newest, old)
        if answer.status == 409 and answer.content_type == witness.SIZE:
            old = _size(answer.text)
            if old > newest.size:
                raise Trouble(
                    f"{asked.name} has cosigned {old} changes, this cloud has {newest.size}", SPLIT
                )
            answer = await self._post(asked, newest, old)
        text = answer.text.strip()[:300]
        if answer.status in (409, 422):
            raise Trouble(f"{asked.name} has seen another history: {text}", SPLIT)
        if answer.status != 200:
            raise Trouble(f"{asked.name} answered {answer.status}: {text}")
        line = answer.text
        try:
            cosigned(newest.note + line, asked.key, asked.name, fast_check)
        except Failed as failed:
            raise Trouble(
                f"{asked.name} answered what is no cosignature of its: {failed}"
            ) from None
        return "".join(
            f"{one}\n" for one in line.splitlines() if one.split(" ")[1:2] == [asked.key.name]
        )

    async def _post(self, asked: Named, newest: Published, old: int) -> Fetched:
        path = await self._log.consistency(old, newest.size) if 0 < old < newest.size else []
        body = witness.request(old, path, newest.note)
        url = f"{asked.url}/add-checkpoint"
        try:
            got = await fetch("POST", url, content=body, most=MOST_READ, seconds=SECONDS)
        except TimeoutError:
            raise Trouble(f"{asked.url} did not answer within {SECONDS:.0f} s") from None
        except UNREACHABLE as error:
            # Many of httpx2's say nothing in their text.
            why = str(error) or type(error).__name__
            raise Trouble(f"{asked.url} can't be reached: {why}") from None
        if not got.whole:
            raise Trouble(f"{asked.name} answered more than {MOST_READ} bytes")
        return got


def _size(text: str) -> int:
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > 18:
        raise Trouble("the witness answered no size where it must")
    return int(digits)
