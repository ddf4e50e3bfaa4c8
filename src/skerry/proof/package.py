"""The auditor's package: all changes of a tenant in a period, in one file that is checked offline.

The file is JSON Lines: a head with a signed checkpoint, a line for each change with everything its
leaf hashes and its path to the checkpoint's root, and a seal over the digest of all lines before.
It is made and checked as a stream, however long it is. ``verify`` is the format's definition.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from skerry.kernel.errors import Unavailable
from skerry.proof.log import Log, Published
from skerry.proof.receipts import Evidence, statement
from skerry.proof.verify import AUDIT, audit_seal
from skerry.store import Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.proof")
PAGE = 500
WAIT = 10.0
"""Seconds to wait for a checkpoint that covers the period."""
CLOUDWIDE = ("backup",)
"""Kinds of change that concern every tenant, whosesoever they are."""
Vouches = Callable[[str, str], Evidence]
"""Who vouches for a change, by its kind and verb."""
Versions = dict[tuple[str, str, str], set[int]]


@dataclass(frozen=True)
class Period:
    """Whose changes, from when until before when, by the cloud's clock."""

    tenant: str
    begin: datetime
    end: datetime


@dataclass
class Package:
    """One file in the making. Iterate over ``lines``."""

    db: Database
    log: Log
    period: Period
    vouches: Vouches
    _digest: Any = field(default_factory=hashlib.sha256)
    _count: int = 0
    _versions: Versions = field(default_factory=lambda: defaultdict(set))

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The file, piece by piece. Raises ``Unavailable`` before the first of them where a change
        of the period is not in a signed checkpoint within seconds."""
        published = await self._covered()
        issued_at = await self.db.fetchval("select skerry_now()")
        yield self._line(
            {
                "format": AUDIT,
                "origin": self.log.signer.name,
                "tenant": self.period.tenant,
                "from": self.period.begin.isoformat(),
                "to": min(self.period.end, issued_at).isoformat(),
                "issuedAt": issued_at.isoformat(),
                "checkpoint": published.note,
            }
        )
        async for rows in self._pages():
            yield await self._statements(rows, published)
        async for rows in self._left_out():
            yield await self._statements(rows, published)
        digest = self._digest.hexdigest()
        seal = self.log.signer.sign(audit_seal(self._count, digest))
        end = {"statements": self._count, "sha256": digest, "seal": seal}
        yield msgspec.json.encode(end) + b"\n"

    def _line(self, value: dict[str, Any]) -> bytes:
        line = msgspec.json.encode(value) + b"\n"
        self._digest.update(line)
        return line

    async def _covered(self) -> Published:
        """A signed checkpoint over all that has happened in the period by now."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + WAIT
        period = (self.period.tenant, list(CLOUDWIDE), self.period.begin, self.period.end)
        while True:
            # One that a witness cosigned is as good, if it goes so far.
            for found in (await self.log.witnessed(1), await self.log.witnessed()):
                if found and not await self.db.fetchval(_sql.uncovered, *period, found.size):
                    return found
            if clock() >= deadline:
                raise Unavailable(
                    "something of this period is not in a signed checkpoint yet",
                    hint="A checkpoint follows within seconds: try again, and see the alerts.",
                )
            await asyncio.sleep(0.1)

    async def _pages(self) -> AsyncIterator[list[Row]]:
        at, position = self.period.begin, -1
        while True:
            rows = await self.db.fetch(
                _sql.period_page, self.period.tenant, list(CLOUDWIDE), at, position,
                self.period.end, PAGE,
            )  # fmt: skip
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            at, position = rows[-1]["at"], rows[-1]["position"]

    async def _left_out(self) -> AsyncIterator[list[Row]]:
        """Versions that the period's edge cut out from between others: transactions that met at a
        resource may bear times in another order than its versions."""
        for (kind, subject, uid), versions in self._versions.items():
            missing = sorted(set(range(min(versions), max(versions))) - versions)
            if missing:
                yield await self.db.fetch(_sql.versions_of, kind, subject, missing, uid)

    async def _statements(self, rows: Sequence[Row], published: Published) -> bytes:
        rows = [row for row in rows if row["position"] < published.size]
        positions = [row["position"] for row in rows]
        paths = await self.log.inclusions(positions, published.size)
        self._count += len(rows)
        self._note(rows)
        return b"".join(
            self._line(
                {
                    "evidence": self.vouches(row["kind"], row["verb"]),
                    "statement": statement(row, path),
                }
            )
            for row, path in zip(rows, paths, strict=True)
        )

    def _note(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row["version"]:
                body = msgspec.json.decode(row["body"])
                if isinstance(body, dict) and isinstance(body.get("uid"), str):
                    self._versions[row["kind"], row["subject"], body["uid"]].add(row["version"])
