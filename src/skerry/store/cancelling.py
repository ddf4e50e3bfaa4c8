"""A cancel that no error can hide.

Where a task is cancelled while it waits in a ``TaskGroup``, and one of the group's tasks fails at
the same moment, the group raises the failure and the cancel is lost. A loop that catches failures
and goes on would then go on for ever, and a process that was told to stop would not.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` answers or raises. To cancel it cancels the work, and always raises
    ``CancelledError`` once that has ended, however it did."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait((task,))
        raise
    return task.result()
