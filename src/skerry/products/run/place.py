"""What a flow asks of the site where it was placed. No other part of it talks to a site.

``bring`` takes to the site whatever the work needs there, ``start`` makes the workload of it.

Every call may be repeated: the site knows a workload's id, and a newer fence overrules an older
one. A site that does not answer in time is a site out of contact.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from skerry.kernel.errors import NotFound
from skerry.kernel.flows import Context
from skerry.kernel.rows import Resource
from skerry.market.lease import Lease
from skerry.market.leases import Market
from skerry.products.run import scratch
from skerry.products.run.given import MissingSecret, given
from skerry.products.run.mounts import mounts
from skerry.products.run.pods.specs import Health as PodHealth
from skerry.products.run.pods.specs import PodSpec
from skerry.products.run.prepare import Prepared, Underway, prepare
from skerry.products.run.specs import JobSpec
from skerry.products.run.work import GRACE, UPLOADED, WorkSpec
from skerry.sites.collector import drain
from skerry.sites.contract import (
    File,
    Health,
    Isolation,
    Mount,
    NoRoom,
    Port,
    Refused,
    Resources,
    SiteUnreachable,
    StaleFence,
    UnknownWorkload,
    Workload,
    Workloads,
    WorkloadStatus,
)
from skerry.sites.hub import Hub
from skerry.sites.outputs import Left, left
from skerry.sites.places import called
from skerry.store import Blobs
from skerry.store.blobs import BlobMissing, parse_digest

PATIENCE = 60.0
"""Seconds a site may take to answer."""
FOR_EVER = (1 << 31) - 1
"""Restarts."""
UPLOAD_PATIENCE = 3600.0
"""Seconds it may take to be given one file."""


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run: a workload of its own, at one place. Kept in the flow's notes."""

    id: str
    """Used once, as the contract of sites demands."""
    at: str = msgspec.field(name="site")
    """Who speaks for the place: the site, or the host at the site."""
    isolation: Isolation
    gpu_model: str
    """These two as the market chose them, since that is what is billed and what policies allow."""
    image: str = ""
    environment: str = ""
    """Digests of what was brought for it to run in."""
    pinned: bool = False
    """Whether its lease names the nodes or devices of its tasks."""

    @classmethod
    def numbered(cls, number: int, resource: Resource, lease: Lease) -> "Run":
        """The resource's run of that number, counted from one."""
        id, choice = f"{resource.kind}-{resource.uid.hex}-{number}", lease.choice
        pinned = bool(lease.nodes or lease.devices)
        return cls(id, choice.place.at, choice.isolation, choice.gpu_model, pinned=pinned)


def run_of(ctx: Context) -> Run:
    """The run that it is in."""
    return msgspec.convert(ctx.data["run"], Run)


def spec_of(ctx: Context) -> WorkSpec:
    """What is asked, with the scratch of a job among its volumes once that was made."""
    spec = ctx.spec(ctx.kind.spec)
    assert isinstance(spec, WorkSpec)
    if isinstance(spec, JobSpec) and ctx.data.get(scratch.MADE):
        volumes = [*spec.volumes, scratch.use(spec, ctx.resource.name)]
        return msgspec.structs.replace(spec, volumes=volumes)
    return spec


class NotStarted(Exception):
    """The site did not take it. ``again``: another try, perhaps elsewhere, may do better.
    ``elsewhere``: it is for others than the site to mend, so there is an end of tries."""

    def __init__(self, reason: str, message: str, *, again: bool, elsewhere: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again
        self.elsewhere = elsewhere


@asynccontextmanager
async def _driver(ctx: Context, at: str, patience: float) -> AsyncIterator[Workloads]:
    """The site's driver, for calls that it answers in time. Raises ``SiteUnreachable``."""
    try:
        async with asyncio.timeout(patience):
            yield ctx.services[Hub].driver(at)
    except TimeoutError:
        raise SiteUnreachable(f"{called(at)} did not answer in {patience:.0f} seconds") from None


async def bring(ctx: Context, run: Run) -> Prepared | Underway:
    """Bring what the site does not have yet of its files, and what it is to run in.

    Raises ``SiteUnreachable``, and ``NotStarted`` if something can't be had or is not taken.
    """
    spec = spec_of(ctx)
    if ctx.data.get(scratch.MADE) and (why := await scratch.waits(ctx)):
        if (ctx.now - ctx.entered_at).total_seconds() > scratch.PATIENCE:
            raise NotStarted(scratch.NONE, why, again=True, elsewhere=True)
        return Underway(why)
    try:
        await _bring_blobs(ctx, run, _needed(spec))
        async with _driver(ctx, run.at, UPLOAD_PATIENCE) as driver:
            return await prepare(ctx, driver, spec)
    except BlobMissing as missing:
        raise NotStarted("InputMissing", str(missing), again=False) from None
    except MissingSecret as missing:
        raise NotStarted("SecretMissing", str(missing), again=False) from None
    except Refused as refused:
        elsewhere = refused.reason in _OF_OTHERS
        again = elsewhere or _passes(refused)
        raise NotStarted(
            refused.reason, refused.message, again=again, elsewhere=elsewhere
        ) from None


def _needed(spec: WorkSpec) -> tuple[str, ...]:
    """The blobs that must be at its site, each once."""
    digests = [one.digest for one in spec.inputs]
    if spec.image.startswith(UPLOADED):
        digests.append(spec.image.removeprefix(UPLOADED))
    return tuple(dict.fromkeys(digests))


async def _bring_blobs(ctx: Context, run: Run, wanted: tuple[str, ...]) -> None:
    if not wanted:
        return
    async with _driver(ctx, run.at, PATIENCE) as driver:
        there = set(await driver.has_blobs(wanted))
    for digest in wanted:
        if digest not in there:
            content = ctx.services[Blobs].open(parse_digest(digest))
            async with _driver(ctx, run.at, UPLOAD_PATIENCE) as driver:
                await driver.upload(digest, content)


async def start(ctx: Context, run: Run) -> WorkloadStatus | None:
    """Start it; None: it is there already, as will be seen.

    Raises ``SiteUnreachable``, after which it may have been started or not, and ``NotStarted``.
    """
    try:
        workload = await workload_of(ctx, run)
        async with _driver(ctx, run.at, PATIENCE) as driver:
            return await driver.apply(workload, ctx.fence)
    except StaleFence:
        raise
    except Refused as refused:
        if refused.reason == "Changed":
            # An earlier try has started it, before its secrets were put anew.
            return None
        raise NotStarted(refused.reason, refused.message, again=_passes(refused)) from None
    except MissingSecret as missing:
        raise NotStarted("SecretMissing", str(missing), again=False) from None
    except NotFound as missing:
        raise NotStarted("VolumeMissing", missing.detail, again=False) from None


_OF_OTHERS = ("Stalled", "RegistryUnreachable", "IndexUnreachable")
"""What registries and indexes do to those who bring something from them."""
_FOR_NOW = ("DiskFull", "Busy", "MissingBlob", "MissingImage", "MissingEnvironment", "VolumeInUse")


def _passes(refused: Refused) -> bool:
    """Whether it is refused only for now."""
    return isinstance(refused, NoRoom) or refused.reason in _FOR_NOW


async def signal(ctx: Context, run: Run, number: int) -> bool:
    """Send a signal to its processes. False: the site does not have it. Raises
    ``SiteUnreachable``."""
    try:
        async with _driver(ctx, run.at, PATIENCE) as driver:
            await driver.signal(run.id, number, ctx.fence)
    except UnknownWorkload:
        return False
    return True


async def left_by(ctx: Context, run: Run, copies: int) -> tuple[Left, ...]:
    """What its copies left, by digests; nothing where its site has nothing of it, or an agent that
    makes none. Raises ``SiteUnreachable``."""
    try:
        async with _driver(ctx, run.at, UPLOAD_PATIENCE) as driver:
            return await left(driver, run.id, copies)
    except Refused:
        return ()


async def erase(ctx: Context, at: str, id: str) -> None:
    """End whatever there is of it and forget it, and refuse to start it from now on; what it wrote
    last is kept. Raises ``SiteUnreachable``."""
    async with _driver(ctx, at, PATIENCE) as driver:
        await drain(ctx.db, driver, id)
        await driver.delete(id, ctx.fence)


async def workload_of(ctx: Context, run: Run) -> Workload:
    """What its site is to run. Raises ``MissingSecret``, and ``NotFound`` for a volume."""
    resource, spec = ctx.resource, spec_of(ctx)
    secret = await given(ctx, spec)
    mounted: tuple[Mount, ...] = ()
    if spec.volumes:
        async with ctx.db.reading() as tx:
            mounted = await mounts(tx, ctx.resources, resource, spec)
    pins = await _pins(ctx) if run.pinned else {}
    name = f"SKERRY_{resource.kind.upper()}"
    common = Workload(
        id=run.id,
        tenant=resource.tenant,
        command=tuple(spec.command),
        resources=Resources(
            millicores=spec.millicores,
            memory=spec.memory,
            gpus=spec.gpus,
            gpu_model=run.gpu_model,
            disk=spec.disk,
        ),
        image=run.image,
        environment=run.environment,
        env={
            **_variables(ctx, spec),
            **spec.env,
            name: resource.name,
            "SKERRY_WORKSPACE": resource.workspace,
        },
        secret_env=secret.env,
        secret_files=secret.files,
        mounts=mounted,
        files=tuple(
            File(path=f.path, digest=f.digest, size=f.size, mode=f.mode) for f in spec.inputs
        ),
        ports=tuple(Port(name=str(port), port=port) for port in spec.ports),
        isolation=run.isolation,
        network=spec.network,
        grace=GRACE,
        labels={resource.kind: resource.ref},
    )
    return msgspec.structs.replace(common, **_own(spec), **pins)


async def _pins(ctx: Context) -> dict[str, Any]:
    """Where the market has placed its tasks, rank by rank."""
    async with ctx.db.reading() as tx:
        lease = await Market.of(ctx.resources).open_lease(tx, ctx.resource.uid)
    return {"nodes": lease.nodes, "devices": lease.devices} if lease else {}


def _variables(ctx: Context, spec: WorkSpec) -> dict[str, str]:
    """What a job is told of its runs."""
    if not isinstance(spec, JobSpec):
        return {}
    attempt = str(ctx.resource.status.get("attempt") or 1)
    return {"SKERRY_ATTEMPT": attempt, **scratch.variables(spec)}


def _own(spec: WorkSpec) -> dict[str, Any]:
    """What only its kind has."""
    if isinstance(spec, JobSpec):
        return {
            "tasks": spec.count,
            "artifacts": tuple(spec.artifacts),
            "time_limit": spec.time_limit,
            "grace": spec.grace,
        }
    if isinstance(spec, PodSpec):
        ports = [*spec.ports, spec.health.port] if spec.health else spec.ports
        return {
            "ports": tuple(Port(name=str(p), port=p) for p in dict.fromkeys(ports) if p),
            "health": _health(spec.health) if spec.health else None,
            "restart": "always",
            "max_restarts": FOR_EVER,
            "grace": spec.grace,
        }
    return {}


def _health(wanted: PodHealth) -> Health:
    return Health(
        port=wanted.port,
        path=wanted.path,
        command=tuple(wanted.command),
        every=wanted.every,
        timeout=wanted.timeout,
        failures=wanted.failures,
        restart=wanted.restart,
        start=wanted.start,
    )
