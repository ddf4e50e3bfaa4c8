"""Streams into a simulated task: what goes in comes out again."""

from collections.abc import Mapping
from typing import Protocol

from skerry.sites.contract import Output
from skerry.sites.simulated.notice import Notice

_BUFFER = 1 << 20


class Echo:
    """A session whose other end sends everything back, as the twin's servers and ``cat`` do."""

    def __init__(
        self, code: int = 0, said: bytes = b"", *, done: bool = False, to: Output = "stdout"
    ) -> None:
        self._buffer = bytearray(said)
        self._to = to
        self._code = code
        self._ended = done
        self._changed = Notice()

    async def read(self, limit: int = 65536) -> bytes:
        return (await self.take(limit))[1]

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        while not self._buffer and not self._ended:
            await self._changed.future()
        piece = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        self._changed.wake()
        return self._to, piece

    async def write(self, data: bytes) -> None:
        """Waits while the other end has too much unread."""
        for start in range(0, len(data), _BUFFER):
            while len(self._buffer) >= _BUFFER and not self._ended:
                await self._changed.future()
            if self._ended:
                raise ConnectionResetError("the other end is gone")
            self._buffer += data[start : start + _BUFFER]
            self._changed.wake()

    async def close_write(self) -> None:
        self._ended = True
        self._changed.wake()

    async def resize(self, columns: int, rows: int) -> None:
        """There is no terminal here."""

    async def close(self) -> None:
        self._buffer.clear()
        await self.close_write()

    async def wait(self) -> int:
        while not self._ended:
            await self._changed.future()
        return self._code

    def hang_up(self, code: int = 0) -> None:
        """The task has ended, and with it this."""
        if not self._ended:
            self._ended = True
            self._code = code
            self._changed.wake()


class Files(Protocol):
    """What commands may touch of a task."""

    @property
    def files(self) -> Mapping[str, object]: ...

    def read(self, path: str) -> bytes | None: ...

    def write(self, path: str, data: bytes) -> None: ...

    def remove(self, path: str) -> None: ...


def run(words: tuple[str, ...], task: Files) -> Echo:
    """One of the few commands that a simulated task knows."""
    if words == ("cat",):
        return Echo()
    code, said = answer(words, task)
    return Echo(code, said, done=True, to="stderr" if code else "stdout")


def answer(words: tuple[str, ...], task: Files) -> tuple[int, bytes]:
    """How a command ends that is given no input, and what it says."""
    match words:
        case ("true", *_) | ("cat",):
            return 0, b""
        case ("cat", path) if path in task.files:
            return 0, task.read(path) or b""
        case ("cat", path):
            return 1, f"cat: {path}: No such file or directory\n".encode()
        case ("false", *_):
            return 1, b""
        case ("echo", *rest):
            return 0, " ".join(rest).encode() + b"\n"
        case ("test", "-e", path):
            return int(path not in task.files), b""
        case ("touch", path):
            task.write(path, b"")
            return 0, b""
        case ("rm", path):
            task.remove(path)
            return 0, b""
    known = "cat, echo, rm, test -e, touch, true, false"
    name = words[0] if words else ""
    return 127, f"{name}: a simulated task knows {known}\n".encode()
