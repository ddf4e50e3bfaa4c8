"""``delete``: end all of it, then forget it."""

import asyncio
import uuid

from skerry.sites.local.held import Held
from skerry.sites.local.machine import Machine
from skerry.sites.local.steps import step
from skerry.sites.local.sweep import remove_tree


async def stop(machine: Machine, held: Held) -> None:
    """The deletion is written down already, so that a crash on the way is made good later."""
    step("deleting")
    async with asyncio.TaskGroup() as group:
        for task in held.tasks:
            group.create_task(machine.end_shim(task))
    for task in held.tasks:
        machine.unfollow(task)
        machine.secrets.drop(task.name)
    step("ended")
    del machine.held[held.workload.id]
    trash = machine.data / "trash" / uuid.uuid4().hex
    held.path.rename(trash)
    machine.journal.append(held.workload.id, None)
    await machine.volumes.release(held)
    await asyncio.to_thread(remove_tree, trash)
