"""A transaction that counts what it is asked."""

from typing import Any


class Counted:
    """A transaction, and how often it asked."""

    def __init__(self, tx: Any) -> None:
        self._tx, self.asked = tx, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute"):
            return found

        def call(*args: Any) -> Any:
            self.asked += 1
            return found(*args)

        return call
