"""Names that are the same whoever computes them: the ledger's idempotency.

A transfer or a stream is identified by what it is for. Doing it again gives the same id, and the
database refuses to do it twice.
"""

import uuid

_SPACE = uuid.UUID("6f1c36a4-52d9-5e0e-9d2c-8a4b7e3f0d11")


def named(*parts: object) -> uuid.UUID:
    """The UUID (version 5) of these parts."""
    return uuid.uuid5(_SPACE, "\x1f".join(map(str, parts)))
