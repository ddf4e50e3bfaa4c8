"""Files by digest that workloads get copies of.

A blob that no workload has used for ``UNUSED_DAYS`` is removed; it can be uploaded again.
"""

import asyncio
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from skerry.sites.checks import check_digest
from skerry.sites.contract import Refused

UNUSED_DAYS = 7


class Blobs:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> None:
        """Raises ``Refused`` if the content is not what the digest says, or can't be kept."""
        path = self._path(digest)
        scratch = self._directory / f"{uuid.uuid4().hex}.part"
        sum = hashlib.sha256()
        try:
            with scratch.open("xb") as file:
                async for data in content:
                    sum.update(data)
                    file.write(data)
                if f"sha256:{sum.hexdigest()}" != digest:
                    raise Refused("DigestMismatch", f"what was sent is not {digest}")
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            path.parent.mkdir(exist_ok=True)
            scratch.rename(path)
        except OSError as error:
            raise Refused("DiskFull", f"the file can't be kept here: {error}") from error
        finally:
            scratch.unlink(missing_ok=True)

    def has(self, digest: str) -> bool:
        return self._path(digest).exists()

    def size(self, digest: str) -> int:
        return self._path(digest).stat().st_size

    def use(self, digest: str) -> Path:
        """The file, marked as used today. Raises ``Refused`` if it is not here."""
        path = self._path(digest)
        try:
            os.utime(path)
        except FileNotFoundError as error:
            raise Refused("MissingBlob", f"the file {digest} was not uploaded here") from error
        return path

    def drop_unused(self) -> None:
        """Also removes what broken uploads have left."""
        oldest = time.time() - UNUSED_DAYS * 86400
        for path in self._directory.rglob("*"):
            if path.is_file() and (path.stat().st_mtime < oldest or path.suffix == ".part"):
                path.unlink()

    def _path(self, digest: str) -> Path:
        hex = check_digest(digest)
        return self._directory / hex[:2] / hex
