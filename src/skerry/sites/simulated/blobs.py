"""Blobs that were brought to a simulated site."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from skerry.sites.checks import check_digest
from skerry.sites.contract import Refused


class Blobs:
    """In memory, or one file each in ``folder``."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def has(self, digest: str) -> bool:
        name = check_digest(digest)
        return name in self._memory if self._folder is None else (self._folder / name).exists()

    def read(self, digest: str) -> bytes:
        name = check_digest(digest)
        return self._memory[name] if self._folder is None else (self._folder / name).read_bytes()

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> None:
        """Take it in; refused (``DigestMismatch``) if it is not what it claims to be."""
        name = check_digest(digest)
        pieces = [piece async for piece in content]
        whole = b"".join(pieces)
        if hashlib.sha256(whole).hexdigest() != name:
            raise Refused("DigestMismatch", f"what was uploaded is not {digest}; it was not kept")
        if self._folder is None:
            self._memory[name] = whole
        else:
            await asyncio.to_thread(_write, self._folder / name, whole)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
