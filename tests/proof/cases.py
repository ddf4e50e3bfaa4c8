"""Proofs for whoever checks them elsewhere: a log with its tiles, statements, a receipt.

``python -m tests.proof.cases`` writes them for the console's tests; a test compares.
"""

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skerry.proof import tree
from skerry.proof.note import Signer, checkpoint_text
from skerry.proof.receipts import seal
from skerry.proof.tiles import path_of
from skerry.proof.tree import HEIGHT, TILE
from skerry.proof.verify import FORMAT, Checkpoint, Key, verify

FILE = Path(__file__).parents[2] / "console/src/proof/cases.json"
SIZE = 70_003
"""Three levels of tiles, and a partial one in each."""
SHOWN = (0, 257, 65_536, 70_002)
BATCH = 69_999
"""The one whose body has a batch."""


def leaf(number: int, **said: str) -> dict[str, Any]:
    """A statement without its path."""
    said = {
        "subject": f"things/{number}", "tenant": "acme", "workspace": "", "actor": "ann@acme",
        "body": '{"name":"Åsa 🏝"}',
    } | said  # fmt: skip
    salt = hashlib.sha256(str(number).encode()).digest()[:16]
    hashed = {k: hashlib.sha256(salt + v.encode()).hexdigest() for k, v in said.items()}
    shown = {
        "v": 1, "id": f"00000000-0000-4000-8000-{number:012d}", "at": "2026-11-01T00:00:00Z",
        "kind": "thing", "verb": "put", "version": 1,
    }  # fmt: skip
    text = msgspec.json.encode(shown | hashed).decode()
    return {"position": number, **said, "salt": salt.hex(), "leaf": text}


def made() -> bytes:
    """All of it, the same each time."""
    items = [f"usage {number}" for number in range(5)]
    batch = tree.Batch(items)
    body = msgspec.json.encode({"usage": {"root": batch.root, "size": 5}}).decode()
    said = {number: leaf(number) for number in SHOWN} | {BATCH: leaf(BATCH, body=body)}
    hashes = [
        tree.leaf_hash((said[n]["leaf"] if n in said else str(n)).encode()) for n in range(SIZE)
    ]
    edge, tiles = tree.Edge(), {}
    for row in [*edge.extend(hashes), *edge.partial()]:
        tiles[row.level, row.number] = row
    used: set[tuple[int, int]] = set()

    def node(level: int, number: int) -> bytes:
        height, count = level // HEIGHT, 1 << level % HEIGHT
        tile, begin = divmod(number * count, TILE)
        used.add((height, tile))
        return tree.root(tiles[height, tile].hashes[begin : begin + count])

    signer = Signer("skerry/north", Ed25519PrivateKey.from_private_bytes(b"k" * 32))
    note = signer.sign(checkpoint_text(Checkpoint(signer.name, SIZE, edge.root())))
    statements = [
        {**one, "path": [step.hex() for step in tree.inclusion(number, SIZE, node)]}
        for number, one in said.items()
    ]
    parts = [
        {"statement": 0, "pointer": "/usage", "index": n, "data": items[n], "path": batch.path(n)}
        for n in (0, 4)
    ]
    receipt = seal(signer, {
        "format": FORMAT, "origin": signer.name, "title": "Receipt of a job",
        "subject": "jobs/Åsa", "issuedAt": "2026-11-02T00:00:00+00:00", "checkpoint": note,
        "sections": [
            {"name": "resource", "evidence": "attested-host", "statements": statements[:3],
             "items": []},
            {"name": "ledger", "evidence": "declared", "statements": statements[-1:],
             "items": parts},
        ],
    })  # fmt: skip
    verify(msgspec.json.encode(receipt), Key.parse(signer.vkey))
    shown = {
        path_of(*at, len(tiles[at].hashes)): b64encode(b"".join(tiles[at].hashes)).decode()
        for at in sorted(used)
    }
    found = {
        "key": signer.vkey, "checkpoint": note, "statements": statements, "receipt": receipt,
        "tiles": shown,
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(made())
