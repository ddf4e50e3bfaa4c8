"""Taking the steps of an operation (see ``steps``) with blocking calls."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from skerry.client.errors import SkerryError
from skerry.client.steps import (
    Clock,
    Close,
    Emit,
    Line,
    Op,
    Open,
    Request,
    Response,
    Sleep,
    Step,
    Together,
    Work,
)
from skerry.client.wire import BLOCK, Lines, Wire, whole

T = TypeVar("T")


class _Stream(NamedTuple):
    close: Callable[[], None]
    lines: Iterator[str]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    buffer = Lines()
    for block in blocks:
        yield from buffer.feed(block)


class Blocking:
    """Takes steps with blocking calls. May be used from several threads."""

    def __init__(self, wire: Wire) -> None:
        import httpx2

        self.wire = wire
        options = wire.options()
        if wire.socket is not None:
            options["transport"] = httpx2.HTTPTransport(uds=wire.socket)
        self._http = httpx2.Client(**options)

    def close(self) -> None:
        self._http.close()

    def run(self, op: Op[T]) -> T:
        """The result of an operation; what it emits is dropped."""
        items = self.items(op)
        while True:
            try:
                next(items)
            except StopIteration as end:
                found: T = end.value
                return found

    def items(self, op: Op[T]) -> Generator[Any, None, T]:
        """What an operation emits. Its streams are closed with the iterator."""
        with ExitStack() as streams:
            take: Callable[[], Step] = lambda: next(op)  # noqa: E731
            while True:
                try:
                    step = take()
                except StopIteration as end:
                    found: T = end.value
                    return found
                if isinstance(step, Emit):
                    yield step.item
                    take = lambda: op.send(None)  # noqa: E731
                    continue
                try:
                    result = self._take(step, streams)
                except (SkerryError, OSError) as fault:
                    take = _thrower(op, fault)
                else:
                    take = _sender(op, result)

    def _take(self, step: Step, streams: ExitStack) -> Any:
        match step:
            case Request():
                return self._exchange(step)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Clock():
                return time.monotonic()
            case Work(call):
                return call()
            case Together(operations, at_once):
                with ThreadPoolExecutor(at_once) as pool:
                    return list(pool.map(self.run, operations))
            case Open(request):
                return self._open(request, streams)
            case Line(stream):
                return self._line(stream.lines)
            case Close(stream):
                return stream.close()
        raise TypeError(f"not a step: {step!r}")

    def _exchange(self, request: Request) -> Response:
        import httpx2

        self.wire.asked(request)
        built = self.wire.arguments(request, streaming=False)
        if request.file is not None:
            built["content"] = _blocks(request.file)
        started, body = time.monotonic(), b""
        try:
            answer = self._http.send(self._http.build_request(**built), stream=True)
            with closing(answer):
                if request.sink is not None and answer.is_success:
                    for block in answer.iter_bytes():
                        request.sink(block)
                else:
                    body = answer.read()
        except httpx2.TransportError as error:
            raise self.wire.lost(error) from None
        return self.wire.told(whole(answer, body), time.monotonic() - started)

    def _open(self, request: Request, streams: ExitStack) -> Any:
        import httpx2

        self.wire.asked(request)
        built = self._http.build_request(**self.wire.arguments(request, streaming=True))
        started = time.monotonic()
        try:
            answer = self._http.send(built, stream=True)
            if answer.is_success:
                self.wire.told(whole(answer, b""), time.monotonic() - started)
                streams.callback(answer.close)
                return _Stream(answer.close, _lines(answer.iter_bytes()))
            with closing(answer):
                body = answer.read()
        except httpx2.TransportError as error:
            raise self.wire.lost(error) from None
        return self.wire.told(whole(answer, body), time.monotonic() - started)

    def _line(self, lines: Iterator[str]) -> str | None:
        import httpx2

        try:
            return next(lines, None)
        except httpx2.TransportError as error:
            raise self.wire.lost(error) from None


def _sender(op: Op[T], value: Any) -> Callable[[], Step]:
    return lambda: op.send(value)


def _thrower(op: Op[T], fault: BaseException) -> Callable[[], Step]:
    return lambda: op.throw(fault)
