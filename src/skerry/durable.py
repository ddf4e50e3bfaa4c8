"""What is written lasts: a power cut a moment later takes nothing back.

A file's own ``fsync`` keeps its bytes, not its name: that is its directory's. Here and not in
``store``, because a host's agent writes keys too and has no database to load.
"""

import os
import tempfile
from pathlib import Path


def flush(path: Path) -> None:
    """Bring a file's bytes, or a directory's names, to disk. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(file: Path, text: str | bytes) -> None:
    """Write a file that only its owner can read: whole and to last, or not at all."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # of mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    flush(file.parent)
