"""Writing what was read, where something may have changed in between."""

from collections.abc import Callable
from typing import TypeVar

from skerry.client.errors import PreconditionFailed

T = TypeVar("T")
TRIES = 5
"""Of what runs, the status changes at any moment, and with it the version."""


def rereading(write: Callable[[], T], reread: Callable[[PreconditionFailed], None]) -> T:
    """What ``write`` gives. Where it is told that there is a newer version, ``reread`` looks at
    that, and raises the refusal where it is not to be written over; then it is tried again."""
    for _ in range(TRIES):
        try:
            return write()
        except PreconditionFailed as refused:
            reread(refused)
    return write()
