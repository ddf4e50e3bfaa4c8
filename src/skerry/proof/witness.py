"""Witnessing: this cloud vouches for how others' logs grow (C2SP tlog-witness).

A log sends its newest checkpoint with the proof that it extends the one this cloud cosigned last.
If it does, and the log is one the operator named, the checkpoint is cosigned with the time and
remembered, in one transaction: of two requests at once, the second sees what the first left. A log
that showed two histories would need this cloud's cosignature under both, and gets it under one.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from skerry.proof.note import Signer, fast_check
from skerry.proof.tree import EMPTY, verify_consistency
from skerry.proof.verify import (
    Failed,
    Key,
    open_note,
    read_checkpoint,
    unbase64,
)
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.proof")
MOST_HASHES = 63
SIZE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Refusal(Exception):
    """Not cosigned: the status to answer and the text; of a size, the type is ``SIZE``."""

    def __init__(self, status: HTTPStatus, text: str, media: str = "text/plain") -> None:
        super().__init__(text)
        self.status = status
        self.media = media


@dataclass(frozen=True)
class Witness:
    """What this cloud cosigns with."""

    signer: Signer


async def logs(db: Database) -> dict[str, Key]:
    """The logs that this cloud witnesses, by origin."""
    keys = [Key.parse(row["spec"]["key"]) for row in await db.fetch(_sql.witnessed_logs)]
    return {key.name: key for key in keys}


async def add(db: Database, signer: Signer, known: Mapping[str, Key], body: bytes) -> str:
    """Check a checkpoint and remember it; the cosignature's line. Raises ``Refusal``."""
    old, path, note = _read(body)
    try:
        key = known.get(note.partition("\n")[0])
        if key is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "this log is not witnessed here\n")
        text = open_note(note, key, "checkpoint", fast_check)
        new = read_checkpoint(text, "checkpoint")
    except Failed as failed:
        raise Refusal(HTTPStatus.FORBIDDEN, f"{failed}\n") from None
    if old > new.size:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's\n")
    async with db.transaction() as tx:
        await tx.execute(_sql.know_log, new.origin, EMPTY)
        row = await tx.fetchrow(_sql.lock_witnessed, new.origin)
        assert row is not None
        if row["size"] != old:
            raise Refusal(HTTPStatus.CONFLICT, f"{row['size']}\n", SIZE)
        if old == new.size and row["root"] != new.root:
            raise Refusal(HTTPStatus.CONFLICT, "another tree of this size was cosigned\n")
        if old and not verify_consistency(old, new.size, row["root"], new.root, path):
            raise Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"the tree does not begin with that of {old}\n"
            )
        if not old and path:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "a first tree needs no proof\n")
        await tx.execute(_sql.set_witnessed, new.origin, new.size, new.root, note)
        return signer.cosign(text, int((await tx.now()).timestamp()))


def _read(body: bytes) -> tuple[int, list[bytes], str]:
    """Old size, proof and note of a request."""
    try:
        head, gap, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        head, gap, note = "", "", ""
    first, *lines = head.split("\n")
    match = _OLD.fullmatch(first)
    path = [unbase64(line) or b"" for line in lines]
    if not match or not gap or len(path) > MOST_HASHES or any(len(h) != 32 for h in path):
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "this is not: old size, proof, empty line, checkpoint\n"
        )
    return int(match[1]), path, note


def request(old: int, path: list[bytes], note: str) -> bytes:
    """What a log sends."""
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in path), "", note]
    return "\n".join(lines).encode()
