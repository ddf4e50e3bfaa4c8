"""The audit: everything that was logged, computed again and held against what is there now.

First the log itself (``recompute``): feed, changes, files and signatures. Then the *witnesses*:
packages that keep facts in tables of their own rebuild the body of each subject's last change from
those tables, and the two must be equal. A package that can say more than "the root differs"
registers an ``explain`` for its kind: sentences that name the rows which were altered.

An audit only reads. It may run while the cloud does, and needs the public key, not the private one.
"""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import msgspec

from skerry.kernel.changes import WITNESSES, Rebuild, canonical
from skerry.proof.findings import Finding, Findings, differences
from skerry.proof.recompute import recompute
from skerry.proof.tiles import Tiles
from skerry.proof.verify import Key
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.proof")

Explain = Callable[[Tx, str], Awaitable[Iterable[str]]]
EXPLAINS: dict[str, Explain] = {}

MOST_DIFFERENCES = 8
_BROKEN = (ArithmeticError, LookupError, TypeError, ValueError, msgspec.MsgspecError)


def explain(kind: str) -> Callable[[Explain], Explain]:
    """Register what to say when the live tables differ from the last change of a subject."""

    def register(sentences: Explain) -> Explain:
        EXPLAINS[kind] = sentences
        return sentences

    return register


async def verify(db: Database, directory: Path, vkey: str) -> list[Finding]:
    """Everything that differs; an empty list is a clean audit.

    ``vkey`` is the operator's verifier key; ``verify.Unreadable`` is raised where it is none.
    """
    key, findings = Key.parse(vkey), Findings()
    await recompute(db, Tiles(directory), key, findings)
    for kind in sorted(WITNESSES):
        await _witness(db, kind, WITNESSES[kind], findings)
    for row in await db.fetch(_sql.unrecorded):
        findings.add(
            f"{row['kind']} {row['ref']}", "stands in the table, but no change tells of it"
        )
    return findings.all()


async def _witness(db: Database, kind: str, rebuild: Rebuild, findings: Findings) -> None:
    """Compare all subjects of a kind, a page at a time, each page in one snapshot."""
    after = ""
    while True:
        async with db.transaction(readonly=True) as tx:
            subjects = [row["subject"] for row in await tx.fetch(_sql.subjects, kind, after)]
            if not subjects:
                return
            for row in await tx.fetch(_sql.latest_of, kind, subjects):
                for what in await _differences(tx, kind, rebuild, row):
                    findings.add(f"{kind} {row['subject']}", what)
            after = subjects[-1]


async def _differences(tx: Tx, kind: str, rebuild: Rebuild, row: Row) -> list[str]:
    subject = row["subject"]
    try:
        live = await rebuild(tx, subject)
        if live is None:
            return [] if row["verb"] == "deleted" else ["is gone from its table"]
        text = canonical(live)
        if text == row["body"].encode():
            return []
        found = list(differences(msgspec.json.decode(row["body"]), msgspec.json.decode(text)))
        found = found or ["the logged text is not in canonical form"]
        if kind in EXPLAINS:
            found = [*await EXPLAINS[kind](tx, subject), *found]
    except _BROKEN as error:
        return [f"cannot be rebuilt from its table: {error!r}"]
    if len(found) > MOST_DIFFERENCES:
        found[MOST_DIFFERENCES:] = [f"and {len(found) - MOST_DIFFERENCES} more differences"]
    return found
