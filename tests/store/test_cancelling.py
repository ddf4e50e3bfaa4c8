"""A cancel is never lost, whatever fails at the same moment."""

import asyncio

import pytest

from skerry.store.cancelling import apart


async def _fails_when_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise OSError("at the worst moment")


async def _group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_fails_when_cancelled())


async def test_a_failure_at_the_same_moment_hides_no_cancel() -> None:
    async def loop() -> None:
        while True:
            try:
                await apart(_group())
            except* OSError:
                await asyncio.sleep(0)

    task = asyncio.create_task(loop())
    await asyncio.sleep(0.01)
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_answers_and_failures_come_through() -> None:
    async def answer() -> int:
        return 42

    assert await apart(answer()) == 42
    task = asyncio.create_task(_fails_when_cancelled())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(OSError, match="worst moment"):
        await task
