"""Taking the steps of an operation (see ``steps``) with asyncio."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
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
    close: Callable[[], Any]
    lines: AsyncIterator[str]


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    stream = await asyncio.to_thread(path.open, "rb")
    with stream:
        while block := await asyncio.to_thread(stream.read, BLOCK):
            yield block


async def _lines(blocks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    buffer = Lines()
    async for block in blocks:
        for line in buffer.feed(block):
            yield line


class Asynchronous:
    """Takes steps with asyncio. Cancelling the caller cancels the request under way."""

    def __init__(self, wire: Wire) -> None:
        import httpx2

        self.wire = wire
        options = wire.options()
        if wire.socket is not None:
            options["transport"] = httpx2.AsyncHTTPTransport(uds=wire.socket)
        self._http = httpx2.AsyncClient(**options)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, op: Op[T]) -> T:
        """The result of an operation; what it emits is dropped."""
        async with AsyncExitStack() as streams:
            take: Callable[[], Step] = lambda: next(op)  # noqa: E731
            while True:
                try:
                    take = await self._advance(op, take(), streams)
                except StopIteration as end:
                    found: T = end.value
                    return found

    async def items(self, op: Op[Any]) -> AsyncIterator[Any]:
        """What an operation emits. Its streams are closed with the iterator."""
        async with AsyncExitStack() as streams:
            take: Callable[[], Step] = lambda: next(op)  # noqa: E731
            while True:
                try:
                    step = take()
                except StopIteration:
                    return
                if isinstance(step, Emit):
                    yield step.item
                take = await self._advance(op, step, streams)

    async def _advance(self, op: Op[T], step: Step, streams: AsyncExitStack) -> Callable[[], Step]:
        """Take a step; the call that tells the operation how it went."""
        try:
            result = await self._take(step, streams)
        except (SkerryError, OSError) as fault:
            return _thrower(op, fault)
        return lambda: op.send(result)

    async def _take(self, step: Step, streams: AsyncExitStack) -> Any:
        match step:
            case Emit():
                return None
            case Request():
                return await self._exchange(step)
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Clock():
                return time.monotonic()
            case Work(call):
                return await asyncio.to_thread(call)
            case Together(operations, at_once):
                return await self._together(operations, at_once)
            case Open(request):
                return await self._open(request, streams)
            case Line(stream):
                return await self._line(stream.lines)
            case Close(stream):
                return await stream.close()
        raise TypeError(f"not a step: {step!r}")

    async def _together(self, operations: Any, at_once: int) -> list[Any]:
        turn = asyncio.Semaphore(at_once)

        async def one(op: Op[Any]) -> Any:
            async with turn:
                return await self.run(op)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(op)) for op in operations]
        except BaseExceptionGroup as several:
            # Who asked knows no groups: the first failure is the operation's.
            raise several.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _exchange(self, request: Request) -> Response:
        import httpx2

        self.wire.asked(request)
        built = self.wire.arguments(request, streaming=False)
        if request.file is not None:
            built["content"] = _blocks(request.file)
        started, body = time.monotonic(), b""
        try:
            answer = await self._http.send(self._http.build_request(**built), stream=True)
            async with aclosing(answer):
                if request.sink is not None and answer.is_success:
                    async for block in answer.aiter_bytes():
                        request.sink(block)
                else:
                    body = await answer.aread()
        except httpx2.TransportError as error:
            raise self.wire.lost(error) from None
        return self.wire.told(whole(answer, body), time.monotonic() - started)

    async def _open(self, request: Request, streams: AsyncExitStack) -> Any:
        import httpx2

        self.wire.asked(request)
        built = self._http.build_request(**self.wire.arguments(request, streaming=True))
        started = time.monotonic()
        try:
            answer = await self._http.send(built, stream=True)
            if answer.is_success:
                self.wire.told(whole(answer, b""), time.monotonic() - started)
                streams.push_async_callback(answer.aclose)
                return _Stream(answer.aclose, _lines(answer.aiter_bytes()))
            async with aclosing(answer):
                body = await answer.aread()
        except httpx2.TransportError as error:
            raise self.wire.lost(error) from None
        return self.wire.told(whole(answer, body), time.monotonic() - started)

    async def _line(self, lines: AsyncIterator[str]) -> str | None:
        import httpx2

        try:
            return await anext(lines, None)
        except httpx2.TransportError as error:
            raise self.wire.lost(error) from None


def _thrower(op: Op[T], fault: BaseException) -> Callable[[], Step]:
    return lambda: op.throw(fault)
