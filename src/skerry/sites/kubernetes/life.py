"""A workload's way into the cluster and out of it.

The record comes first and is what holds the id: who makes it makes the workload, and whoever finds
it there goes on where the other stopped. Pods come last. What fails in between is taken back, so
that a failed start leaves nothing.
"""

import msgspec

from skerry.sites.checks import check
from skerry.sites.contract import (
    NoRoom,
    Refused,
    SiteUnreachable,
    StaleFence,
    TaskStatus,
    UnknownWorkload,
    Workload,
    WorkloadStatus,
)
from skerry.sites.kubernetes import manifests, names, records, spec
from skerry.sites.kubernetes.client import ApiError
from skerry.sites.kubernetes.records import Intent, Lost, Record
from skerry.sites.kubernetes.room import Chosen, engine, isolations
from skerry.sites.kubernetes.seen import Bare
from skerry.sites.kubernetes.site import Site, forbidden, path_of
from skerry.sites.kubernetes.view import PODS, Work

LACKS = {
    "environment": "A cluster's tasks have no Python environments of Skerry's: put the packages "
    "into the image.",
    "mounts": "This site keeps no volumes yet.",
}
_OURS = ("SKERRY_RANK", "SKERRY_TASKS")


def _checked(site: Site, workload: Workload) -> str:
    """The image that it runs in. Refused where it can't be run as it is asked for."""
    check(workload)
    if workload.isolation not in isolations(site.config):
        raise Refused(
            "Isolation", f"this cluster has no RuntimeClass for isolation {workload.isolation!r}"
        )
    if workload.environment:
        raise Refused("MissingEnvironment", LACKS["environment"])
    if workload.mounts:
        raise Refused("UnknownVolume", LACKS["mounts"])
    if workload.image:
        raise Refused("MissingImage", "an image must be brought to this site first")
    if not site.config.image:
        raise Refused("NoImage", "this site has no image for workloads that bring none")
    for file in workload.files:
        if not site.blobs.has(file.digest):
            raise Refused("MissingBlob", f"{file.digest} was not brought to the site")
    return site.config.image


async def apply(site: Site, workload: Workload, fence: int) -> WorkloadStatus:
    image = _checked(site, workload)
    digest = records.digest(workload)
    async with site.lock(workload.id):
        while True:
            record = _latest(site, workload.id)
            try:
                if record is None:
                    return await _make(site, workload, fence, digest, image)
                return await _again(site, workload, fence, digest, image, record)
            except Lost:
                await refresh(site, workload.id)


def _latest(site: Site, id: str) -> Record | None:
    work = site.view.works.get(id)
    if work is not None:
        return work.record
    if id in site.view.dead:
        return Record(id=id, fence=site.view.dead[id], deleted=True)
    return None


async def refresh(site: Site, id: str) -> Record | None:
    """As the cluster has it now."""
    record = await records.find(site.kube, site.home, id)
    if record is None:
        site.view.forget(id)
    else:
        site.view.record(record)
    return record


async def _again(
    site: Site, workload: Workload, fence: int, digest: str, image: str, record: Record
) -> WorkloadStatus:
    if fence < record.fence:
        raise StaleFence("StaleFence", f"{workload.id} was taken over by somebody newer")
    if record.deleted or record.intent is None:
        raise Refused("Deleted", f"{workload.id} was deleted, and is not started again")
    if record.intent.digest != digest:
        raise Refused("Changed", f"{workload.id} is there with another specification")
    work = site.view.works[workload.id]
    if fence > record.fence:
        await write(site, work, fence=fence)
    if not work.record.made:
        await _fill(site, workload, image, work, site.nodes.again(work.intent))
    return work.status()


async def write(site: Site, work: Work, **changes: object) -> None:
    """Change its record. Raises ``Lost``."""
    fresh = msgspec.structs.replace(work.record, **changes)
    site.view.record(await records.replace(site.kube, site.home, fresh))


async def _make(
    site: Site, workload: Workload, fence: int, digest: str, image: str
) -> WorkloadStatus:
    chosen = site.nodes.choose(workload)
    workspace = workload.env.get("SKERRY_WORKSPACE", "")
    intent = Intent(
        id=workload.id,
        digest=digest,
        where=names.workspace_namespace(site.home, workload.tenant, workspace),
        tenant=workload.tenant,
        tasks=workload.tasks,
        resources=workload.resources,
        isolation=workload.isolation,
        engine=engine(site.config, workload.isolation),
        restart=workload.restart,
        checked=workload.health is not None,
        waits=bool(workload.files) or workload.tasks > 1,
        artifacts=workload.artifacts,
        image=image,
        nodes=chosen.nodes,
        pinned=bool(workload.nodes),
        gpus=chosen.gpus,
        labels=workload.labels,
        ports=tuple(port.port for port in workload.ports),
        files=tuple((file.path, file.digest, file.mode) for file in workload.files),
    )
    # Until the API server has it, nobody else of this process may take the room.
    draft = Record(id=workload.id, fence=fence, intent=intent)
    site.view.reserve(draft)
    try:
        made = await records.create(site.kube, site.home, draft)
    except BaseException:
        site.view.forget(workload.id)
        raise
    site.view.record(made)
    work = site.view.works[workload.id]
    await _fill(site, workload, image, work, chosen)
    return work.status()


async def _fill(site: Site, workload: Workload, image: str, work: Work, chosen: Chosen) -> None:
    """Its namespace, its secret, its pods. What the cluster refuses is taken back."""
    workspace = workload.env.get("SKERRY_WORKSPACE", "")
    where = work.intent.where
    try:
        try:
            await site.prepare(where, workload.tenant, workspace, chosen.architecture)
            await _pods(site, workload, image, work, chosen)
        except ApiError as error:
            if error.status != 404:
                raise
            # Somebody has deleted the namespace since it was prepared.
            site.unprepared(where)
            await site.prepare(where, workload.tenant, workspace, chosen.architecture)
            await _pods(site, workload, image, work, chosen)
        await write(site, work, made=True)
    except ApiError as error:
        await _take_back(site, work)
        raise _meaning(error) from None
    except Refused:
        await _take_back(site, work)
        raise


async def _pods(site: Site, workload: Workload, image: str, work: Work, chosen: Chosen) -> None:
    where = work.intent.where
    about = {
        names.WORKLOAD: names.stem(workload.id),
        names.TENANT: names.label_value(workload.tenant),
    }
    env = {name: value for name, value in workload.env.items() if name not in _OURS}
    told = msgspec.structs.replace(workload, env=env)
    text = spec.encode(told, workload.command, spec.WORK, work.intent.waits)
    bodies = [manifests.secret(site.config, where, workload, text, about)]
    if workload.tasks > 1:
        bodies += manifests.gang_objects(site.config, where, workload.id, about)
    for body in bodies:
        await site.kube.apply(path_of(body), body)
    setting = manifests.Setting(site.config, workload, where, image, about, chosen)
    for rank in range(workload.tasks):
        body = setting.pod(rank)
        raw = await site.kube.apply(path_of(body), body)
        pod = PODS.decode(raw)
        if not names.ours(pod.metadata.labels, site.home):
            raise Refused("NotOurs", f"a pod {pod.metadata.name} is there and is not this site's")
        site.view.pod(pod, raw)


async def _take_back(site: Site, work: Work) -> None:
    """As if it had never been."""
    await clear(site, work.intent)
    await records.forget(site.kube, site.home, work.record)
    site.view.forget(work.record.id)


def _meaning(error: ApiError) -> Exception:
    words = error.message
    if error.status == 403 and "exceeded quota" in words:
        return NoRoom("NoRoom", f"the workspace's quota in the cluster is used up: {words}")
    if error.status == 403 and "being terminated" in words:
        return SiteUnreachable(f"the workspace's namespace is being deleted: {words}")
    if "admission webhook" in words:
        return Refused("AdmissionRefused", f"a rule of the cluster refuses it: {words}")
    return forbidden(error)


async def clear(site: Site, intent: Intent) -> None:
    """Delete all objects of a workload that are ours. Pods first: they are what runs."""
    where = intent.where
    pods = [
        f"/api/v1/namespaces/{where}/pods/{names.pod(intent.id, r)}" for r in range(intent.tasks)
    ]
    for path in pods:
        await _delete_ours(site, path, grace=1)
    others = [f"/api/v1/namespaces/{where}/secrets/{names.secret(intent.id)}"]
    if intent.tasks > 1:
        stem = names.stem(intent.id)
        others += [
            f"/api/v1/namespaces/{where}/services/{stem}",
            f"/apis/networking.k8s.io/v1/namespaces/{where}/networkpolicies/{stem}",
        ]
    for path in others:
        await _delete_ours(site, path)


async def _delete_ours(site: Site, path: str, grace: int | None = None) -> None:
    try:
        found = msgspec.json.decode(await site.kube.get(path), type=Bare).metadata
    except ApiError as error:
        if error.status == 404:
            return
        raise
    if names.ours(found.labels, site.home):
        await site.kube.delete(path, found.uid, grace)


async def delete(site: Site, id: str, fence: int) -> None:
    async with site.lock(id):
        while True:
            record = _latest(site, id)
            try:
                if record is None:
                    tomb = Record(id=id, fence=fence, deleted=True)
                    site.view.record(await records.create(site.kube, site.home, tomb))
                    return
                if fence < record.fence:
                    raise StaleFence("StaleFence", f"{id} was taken over by somebody newer")
                if not record.deleted:
                    await _end(site, site.view.works[id], fence)
                    return
                if fence > record.fence:
                    known = await refresh(site, id)
                    if known is not None:
                        fresh = msgspec.structs.replace(known, fence=max(fence, known.fence))
                        site.view.record(await records.replace(site.kube, site.home, fresh))
                return
            except Lost:
                await refresh(site, id)


async def _end(site: Site, work: Work, fence: int) -> None:
    """From here on it is deleted, whatever becomes of us: an orphaned pod is seen and swept."""
    fresh = msgspec.structs.replace(work.record, fence=fence, deleted=True, ended={})
    tomb = await records.replace(site.kube, site.home, fresh)
    await clear(site, work.intent)
    site.view.record(tomb)


def find(site: Site, id: str) -> Work:
    work = site.view.works.get(id)
    if work is None:
        raise UnknownWorkload("UnknownWorkload", f"there is no workload {id[:80]!r} here")
    return work


def task_of(site: Site, id: str, rank: int) -> tuple[Work, TaskStatus]:
    work = find(site, id)
    if not 0 <= rank < work.intent.tasks:
        raise Refused("UnknownTask", f"{id} has no task {rank}")
    return work, work.task(rank)


def told_before(work: Work, rank: int, number: int) -> TaskStatus:
    """The end of a task that was told to end before it began."""
    return TaskStatus(
        rank=rank,
        phase="exited",
        exit_code=128 + number,
        message="it was told to end before it began",
        node=work.task(rank).node,
    )
