"""``apply``: what is asked is weighed, given its room, written down, laid out, and launched."""

import asyncio
import os
from pathlib import PurePosixPath

from skerry.sites.contract import Refused, Workload
from skerry.sites.local import work
from skerry.sites.local.engines.base import WORK, Engine
from skerry.sites.local.gpus.giving import Given, give
from skerry.sites.local.held import Held, HeldTask, free_uid, public
from skerry.sites.local.launch import launch
from skerry.sites.local.machine import Machine
from skerry.sites.local.networks import gangs
from skerry.sites.local.plans import Attached, Setting
from skerry.sites.local.shim.plan import Plan
from skerry.sites.local.state import NUMBERS, Intent, TaskDirectory
from skerry.sites.local.steps import step
from skerry.sites.local.sweep import remove_tree
from skerry.sites.local.view import Bind


async def start(machine: Machine, workload: Workload, fence: int, earlier: Held | None) -> Held:
    """Start it; ``earlier`` is what a driver that died has left of it, undecided.

    Raises ``Refused`` with nothing left behind.
    """
    held = earlier
    spaces: list[int] = []
    hub = -1
    try:
        setting = await _weigh(machine, workload)
        if workload.resources.gpus:
            await machine.rested()
        if earlier is not None:
            await _clear(machine, earlier)
        held = _take_room(machine, workload, fence, setting)
        held.told = earlier.told if earlier is not None else None
        machine.held[workload.id] = held
        step("fenced")
        await machine.volumes.attach(held)
        for number in held.intent.network:
            spaces.append(await machine.networks.make(number))
        if held.intent.gang == "own":
            made = await asyncio.to_thread(gangs.make, workload.tasks, spaces)
            spaces, hub = [*made.spaces, made.hub], made.hub
        plans = await asyncio.to_thread(_lay_out, machine, held, workload, setting, spaces, hub)
        step("laid out")
        for task in held.tasks:
            machine.follow(held, task)
        machine.tell(held)
        decision = await launch(plans, held.decide, machine.slots, step)
        if not decision.go:
            for task in held.tasks:
                machine.secrets.drop(task.name)
                await machine.sweep(task.name)  # a shim that was killed has removed nothing
    except (OSError, Refused) as error:
        await _forget(machine, workload.id, held)
        if isinstance(error, Refused):
            raise
        raise Refused("StartFailed", f"it can't be laid out: {error}") from error
    finally:
        for space in spaces:
            os.close(space)  # the shims have it
        if held is not None:
            held.starting = False
    for task in held.tasks:
        task.refresh()
        machine.check(held, task)  # its shim may have died before the decision was heard of
    machine.tell(held)
    return held


def _take_room(machine: Machine, workload: Workload, fence: int, setting: Setting) -> Held:
    machine.volumes.check(workload)
    if workload.nodes:
        raise Refused("UnknownNode", "this site is one machine: it has no nodes to choose from")
    gpus = machine.free().give(
        workload.resources, workload.tasks, machine.room, workload.devices, machine.gpus.sick
    )
    uids = [held.taken() for held in machine.held.values()]
    count = workload.tasks * (NUMBERS if setting.image else 1)
    sandboxed = setting.engine.isolation != "process"
    own = workload.network and sandboxed and machine.networks.kind() == "own"
    intent = Intent(
        workload=public(workload),
        engine=setting.engine.name,
        uid=free_uid(machine.config.first_uid, uids, count) if machine.root else 0,
        gpus=gpus,
        network=machine.networks.number(set(machine.numbers()), workload.tasks) if own else (),
        gang=_gang(machine, workload, setting, own),
        image=setting.image,
    )
    held = Held(machine.data / "workloads" / workload.id, intent, fence)
    held.starting = True
    return held


def _gang(machine: Machine, workload: Workload, setting: Setting, own: bool) -> str:
    """By what its tasks are to reach each other."""
    if workload.tasks == 1:
        return ""
    if setting.engine.isolation == "process" or (workload.network and not own):
        return "host"
    return "own" if machine.root else ""


async def _weigh(machine: Machine, workload: Workload) -> Setting:
    """What it runs in. Raises ``Refused`` for what this site can't do."""
    engine = await machine.engine(workload.isolation)
    setting = _set(machine, workload, engine)
    if workload.network and engine.isolation != "process":
        machine.networks.kind()
    for use in workload.mounts:
        if engine.isolation == "process":
            raise Refused("Unsupported", "a bare process can't be given volumes, a sandbox can")
        if not workload.image and machine.view.holds(use.path):
            raise Refused("BadPath", f"{use.path} is the host's own: mount it somewhere else")
    for path in workload.secret_files:
        if engine.isolation == "process":
            raise Refused(
                "Unsupported", "a bare process can't be given secret files, a sandbox can"
            )
        if not workload.image and machine.view.taken(path):
            raise Refused("BadPath", f"{path} is the host's own: put the secret somewhere else")
    disk = workload.resources.disk or machine.config.disk
    for file in workload.files:
        if not machine.blobs.has(file.digest):
            raise Refused("MissingBlob", f"the file {file.digest} was not uploaded here")
    if sum(machine.blobs.size(file.digest) for file in workload.files) > disk:
        raise Refused("DiskLimit", f"its files take more than its {disk >> 20} MiB of disk space")
    return setting


def _set(machine: Machine, workload: Workload, engine: Engine) -> Setting:
    """Its image and environment, which are here. Raises ``Refused``."""
    environment = machine.environments.use(workload.environment) if workload.environment else None
    if not workload.image:
        return Setting(engine, environment=environment)
    if environment is not None:
        raise Refused(
            "Unsupported", "an image brings its own Python: put the packages into the image"
        )
    if engine.isolation == "process":
        raise Refused("Unsupported", "an image needs a sandbox: the host's own processes have none")
    image = machine.images.use(workload.image)
    setting = Setting(engine, image, machine.images.rootfs(workload.image))
    if not setting.command(workload):
        raise Refused("NoCommand", "the image names no command of its own: give one")
    return setting


def _attached(
    machine: Machine,
    workload: Workload,
    task: HeldTask,
    setting: Setting,
    secrets: tuple[Bind, ...],
    given: Given,
) -> Attached:
    """Places for a task to find its volumes, secret files and devices at; in an image they are
    made once it is entered."""
    places = [*workload.mounts, *workload.secret_files, *given.places, *given.files]
    if not places:
        return Attached(given.binds, given=given)
    elsewhere: dict[str, list[str]] = {"volumes": [], "secrets": []}
    wanted = [*(("volumes", use.path) for use in workload.mounts)]
    for sort, place in (*wanted, *(("secrets", path) for path in workload.secret_files)):
        path = PurePosixPath(place)
        if path.is_relative_to(WORK):
            inside = task.directory.work / path.relative_to(WORK)
            (inside if sort == "volumes" else inside.parent).mkdir(parents=True, exist_ok=True)
            if sort == "secrets":
                inside.touch()
        elif not path.is_relative_to("/tmp"):  # noqa: S108 - in the sandbox, where engines make it
            elsewhere[sort].append(place)
    root = None if setting.image else task.directory.path / "root"
    if root is not None:
        places_of, files = elsewhere["volumes"], elsewhere["secrets"]
        machine.view.build_at(root, (*places_of, *given.places), (*files, *given.files))
    keeper = machine.volumes
    binds = (*given.binds, *keeper.binds(workload, task.name), *secrets)
    return Attached(binds, root, keeper.watched(workload), given)


async def _clear(machine: Machine, held: Held) -> None:
    """Remove an undecided start, shims included: they give up, as their driver is gone."""
    for task in held.tasks:
        if task.directory.path.exists():
            await machine.end_shim(task)
            await machine.sweep(task.name)
        machine.unfollow(task)
        machine.secrets.drop(task.name)
    await asyncio.to_thread(remove_tree, held.path)


async def _forget(machine: Machine, id: str, held: Held | None) -> None:
    """What was refused is not here."""
    if held is not None:
        await _clear(machine, held)
        if machine.held.pop(id, None) is not None and held.told is not None:
            machine.journal.append(id, None)
        held.starting = False
        await machine.volumes.release(held)


def _lay_out(
    machine: Machine,
    held: Held,
    workload: Workload,
    setting: Setting,
    spaces: list[int],
    hub: int,
) -> list[tuple[TaskDirectory, Plan]]:
    """Intent first, then the directories, files and plans of all tasks."""
    held.write_intent()
    step("intent")
    plans = []
    for task, uid in zip(held.tasks, held.uids(), strict=True):
        task.directory.make()
        sandboxed = setting.engine.isolation != "process"
        user = uid + (setting.image.uid if setting.image else 0)
        owner = user if machine.root and sandboxed else None
        secrets = machine.secrets.put(task.name, workload.secret_files, owner)
        given = _given(machine, task, setting)
        volumes = _attached(machine, workload, task, setting, secrets, given)
        work.fill(task.directory.work, workload.files, machine.blobs, owner)
        args = (workload, task.rank, task.directory, uid, task.gpus, volumes, held.intent.gang)
        plan = machine.planner.plan(setting, *args)
        if spaces:
            plan.network, plan.hub = spaces[task.rank], hub
        plans.append((task.directory, plan))
    return plans


def _given(machine: Machine, task: HeldTask, setting: Setting) -> Given:
    """What the task gets for its devices. A bare process finds all of the host's as they are.
    Raises ``Refused``."""
    if not task.gpus or setting.engine.isolation == "process":
        return Given()
    edits = machine.gpus.edits(task.gpus)
    image = setting.image is not None
    return give(edits, task.directory.path, machine.view, image=image, root=machine.root)
