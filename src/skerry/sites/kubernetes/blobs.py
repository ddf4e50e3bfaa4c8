"""Files on their way into pods: kept at the server that was given them, by digest.

They are no more than a cache. Another server does not have them, says so (``has_blobs``), and is
given them again.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from skerry.sites.checks import check_digest
from skerry.sites.contract import Refused

KEEP = 7 * 24 * 3600
"""Seconds that one is kept after it was last wanted."""


class Blobs:
    def __init__(self, home: str) -> None:
        self._folder = _base() / home

    def path(self, digest: str) -> Path:
        return self._folder / check_digest(digest)

    def has(self, digest: str) -> bool:
        path = self.path(digest)
        if not path.exists():
            return False
        os.utime(path)
        return True

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> None:
        target = self.path(digest)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()
        found = hashlib.sha256()
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".fresh-")
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in content:
                    found.update(piece)
                    file.write(piece)
            if found.hexdigest() != target.name:
                raise Refused("DigestMismatch", f"the content is not that of {digest}")
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)

    def _sweep(self) -> None:
        old = time.time() - KEEP
        for path in self._folder.iterdir():
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)


def _base() -> Path:
    """``SKERRY_KEPT``, or below this user's cache."""
    if kept := os.environ.get("SKERRY_KEPT"):
        return Path(kept)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "skerry" / "kubernetes"
