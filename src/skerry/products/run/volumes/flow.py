"""The lives of volumes and of snapshots: what each adds to ``kept``."""

from typing import Any

import msgspec

from skerry.kernel.flows import Context, Next, Write, done, hop, nap, step
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.rows import Resource
from skerry.market.ask import Ask
from skerry.market.lease import Refusal
from skerry.market.leases import Market
from skerry.products.run.volumes.host import keeper
from skerry.products.run.volumes.kept import (
    AGAIN,
    DAY,
    HOST,
    MINUTE,
    ROOM,
    Kept,
    Wait,
    meter,
    news,
    passes,
    patience,
    refused_as,
    rented,
    shown_as,
)
from skerry.products.run.volumes.specs import READY, VolumeSpec
from skerry.sites.contract import Refused, SiteUnreachable, StaleFence, Volume, Volumes
from skerry.store import Tx


def ask_of(spec: VolumeSpec) -> Ask:
    """What a volume asks of the market."""
    return Ask(
        millicores=0,
        memory=0,
        storage=spec.size,
        regions=(spec.region,) if spec.region else (),
        sites=(spec.site,) if spec.site else (),
    )


class VolumeFlow(Kept):
    async def ask(self, ctx: Context) -> Ask:
        spec = ctx.spec(VolumeSpec)
        ask = ask_of(spec)
        if not spec.source:
            return ask
        source = await _ready(ctx, *_snapshot(ctx, spec.source))
        if source.status["size"] > spec.size:
            words = f"{spec.source} has {source.status['size']} bytes: it does not fit"
            raise Refused("TooSmall", words)
        ctx.data["source"] = source.status["id"]
        return _beside(ask, source)

    async def make(self, ctx: Context, driver: Volumes, size: int) -> int:
        volume = Volume(
            id=ctx.data["id"],
            tenant=ctx.resource.tenant,
            size=size,
            source=ctx.data.get("source") or "",
        )
        return (await driver.create_volume(volume, ctx.fence)).size

    async def unmake(self, ctx: Context, driver: Volumes) -> None:
        await driver.delete_volume(ctx.data["id"], ctx.fence)

    def onward(self, ctx: Context, **more: Any) -> Next:
        if ctx.spec(VolumeSpec).size > int(ctx.data["size"]):
            return hop("grow", **more)
        return super().onward(ctx, **more)

    @step(deadline=7 * DAY, remedy=ROOM, inside=True)
    async def grow(self, ctx: Context) -> Next:
        """Rent what it is to have more, in a lease of its own."""
        size, wanted = int(ctx.data["size"]), ctx.spec(VolumeSpec).size
        if wanted <= size:
            return done(state="active", status=shown_as(READY))
        ask = Ask(
            millicores=0, memory=0, storage=wanted - size, volume_sites=(str(ctx.data["at"]),)
        )
        part = f"to-{wanted}"
        lease = await rented(ctx, ask, part)
        if isinstance(lease, Refusal):
            return nap(AGAIN, status=refused_as(ctx, lease, "growing"))
        leases = await Market.of(ctx.resources).leases_of(ctx.tx, ctx.resource.uid)
        price = sum(x.choice.price.per_hour for x in leases if x.state != "closed")
        data = {"part": part, "wanted": wanted, "price": price}
        return hop("enlarge", data=data, status=shown_as("growing"))

    @step(deadline=3600, remedy=HOST)
    async def enlarge(self, ctx: Context) -> Next:
        """Make it larger where it lies."""
        part, wanted = str(ctx.data["part"]), int(ctx.data["wanted"])
        try:
            async with keeper(ctx.services, ctx.data["at"]) as driver:
                has = await self.make(ctx, driver, wanted)
        except SiteUnreachable as away:
            return nap(patience(ctx), status=news(ctx, "growing", "SiteUnreachable", str(away)))
        except StaleFence:
            raise
        except Refused as refused:
            # It has the size it had: what was rented for more is given back.
            shown = shown_as("growing", refused.reason, refused.message)
            if not passes(refused):
                shown = {**shown, "phase": READY}
                return done(state="active", status=shown, within=(_give_back(ctx, part),))
            return hop("grow", MINUTE, status=shown, within=(_give_back(ctx, part),))
        later = "" if has >= wanted else "It has its new size when it is mounted next"
        ctx.data["size"] = wanted
        return self.onward(
            ctx,
            reason="Grown",
            data={"part": None, "wanted": None},
            status={
                **shown_as(READY, "", later),
                "size": has,
                "pricePerHourNano": ctx.data["price"],
            },
            within=(meter(ctx, part),),
        )


def _give_back(ctx: Context, part: str) -> Write:
    async def write(tx: Tx, resource: Resource) -> None:
        market = Market.of(ctx.resources)
        lease = await market.open_lease(tx, resource.uid, part)
        if lease is not None:
            await market.close(tx, lease.id, "failed")

    return write


class SnapshotFlow(Kept):
    async def ask(self, ctx: Context) -> Ask:
        volume = await _ready(ctx, "volume", ctx.resource.parent_ref)
        ctx.data["volume"] = volume.status["id"]
        ask = Ask(millicores=0, memory=0, storage=int(volume.status["size"]))
        return _beside(ask, volume)

    async def make(self, ctx: Context, driver: Volumes, size: int) -> int:
        await driver.snapshot_volume(ctx.data["volume"], ctx.data["id"], ctx.fence)
        return size

    async def unmake(self, ctx: Context, driver: Volumes) -> None:
        await driver.delete_snapshot(ctx.data["volume"], ctx.data["id"], ctx.fence)


def _snapshot(ctx: Context, name: str) -> tuple[str, str]:
    volume, _, snapshot = name.partition("/")
    r = ctx.resource
    path = Path(r.tenant, r.workspace, (volume,), snapshot)
    return "snapshot", ref_of(ctx.resources.registry["snapshot"], path)


async def _ready(ctx: Context, noun: str, ref: str) -> Resource:
    """What it is made of. Raises ``Wait``, and ``Refused`` if that is not there."""
    found = await ctx.resources.find(ctx.tx, ref)
    name = ref.rpartition("/")[2]
    if found is None or found.state == "deleting":
        raise Refused("SourceMissing", f"{noun} {name!r} does not exist")
    if found.phase == "failed":
        raise Refused("SourceFailed", f"{noun} {name!r} has failed: {found.status.get('message')}")
    if found.phase != READY:
        raise Wait("SourceNotReady", f"{noun} {name!r} is {found.phase}")
    return found


def _beside(ask: Ask, other: Resource) -> Ask:
    return msgspec.structs.replace(ask, volume_sites=(str(other.status["at"]),))
