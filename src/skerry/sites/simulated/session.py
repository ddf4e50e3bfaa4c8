"""Streams into a simulated task: what goes in comes out again."""

from skerry.sites.simulated.notice import Notice

_BUFFER = 1 << 20


class Echo:
    """A session whose other end sends everything back, as the twin's servers and ``cat`` do."""

    def __init__(self, code: int = 0, said: bytes = b"", *, done: bool = False) -> None:
        self._buffer = bytearray(said)
        self._code = code
        self._ended = done
        self._changed = Notice()

    async def read(self, limit: int = 65536) -> bytes:
        while not self._buffer and not self._ended:
            await self._changed.future()
        piece = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        self._changed.wake()
        return piece

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


def run(words: tuple[str, ...]) -> Echo:
    """The few commands that a simulated task knows."""
    name, *rest = words or ("",)
    match name:
        case "cat":
            return Echo()
        case "true":
            return Echo(0, done=True)
        case "false":
            return Echo(1, done=True)
        case "echo":
            return Echo(0, " ".join(rest).encode() + b"\n", done=True)
    return Echo(127, f"{name}: a simulated task knows cat, echo, true, false\n".encode(), done=True)
