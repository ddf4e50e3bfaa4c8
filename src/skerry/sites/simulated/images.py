"""Images and Python environments that were brought to a simulated site: their names."""

import hashlib
import io
import tarfile
from pathlib import Path

from skerry.sites.checks import check_digest
from skerry.sites.contract import EnvironmentSource, ImageSource, Refused
from skerry.sites.simulated.blobs import Blobs


class Kept:
    """In memory, or an empty file each in ``folder``."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: set[str] = set()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def has(self, digest: str) -> bool:
        name = check_digest(digest)
        return name in self._memory if self._folder is None else (self._folder / name).exists()

    def add(self, digest: str) -> None:
        if self._folder is None:
            self._memory.add(check_digest(digest))
        else:
            (self._folder / check_digest(digest)).touch()

    def evict(self) -> None:
        """All of it, as if nobody had used it for long."""
        self._memory.clear()
        for file in self._folder.iterdir() if self._folder is not None else ():
            file.unlink()


def image_of(source: ImageSource, blobs: Blobs) -> str:
    """The digest it would have. Raises ``Refused``."""
    if bool(source.reference) == bool(source.archive):
        raise Refused("BadReference", "an image is named by a reference or by an archive")
    if source.archive:
        if not blobs.has(source.archive):
            raise Refused("MissingBlob", f"the archive {source.archive} was not uploaded here")
        if not tarfile.is_tarfile(io.BytesIO(blobs.read(source.archive))):
            raise Refused("BadImage", "the archive is no tar file")
    if " " in source.reference:
        raise Refused("BadReference", f"{source.reference[:200]!r} is not the name of an image")
    _, _, exact = source.reference.partition("@")
    found = exact or _digest(f"{source.reference}{source.archive}")
    if source.digest and found != source.digest:
        raise Refused("ImageChanged", f"there is {found} now, not {source.digest}")
    check_digest(found)
    return found


def environment_of(source: EnvironmentSource) -> str:
    """The digest it would have. Raises ``Refused``."""
    lines = [line.partition("#")[0].strip() for line in source.requirements.splitlines()]
    for line in lines:
        if line.startswith("-") or "/" in line:
            raise Refused("BadRequirements", f"{line[:200]!r} is no package's name with versions")
    return _digest("\n".join(sorted(set(filter(None, lines)))))


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
