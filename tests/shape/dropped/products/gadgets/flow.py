"""The life of a gear: forged by a job that it owns, engraved, and paid by its teeth."""

from skerry.kernel.flows import Context, Flow, Next, done, gone, hop, nap, step
from skerry.ledger import holds, price_lists, settle
from skerry.ledger.streams import Charge
from skerry.store import Tx

SMITH = "Look at its job: a gear is forged by one."


async def price(tx: Tx) -> Charge:
    found = (await price_lists.at(tx)).price("gear-each")
    assert found is not None, "the price list has no gear-each"
    return Charge.counted(found)


class GearFlow(Flow):
    @step(deadline=60, remedy=SMITH, inside=True)
    async def start(self, ctx: Context) -> Next:
        """Put its price aside and have it forged."""
        gear, teeth = ctx.resource, ctx.resource.spec["teeth"]
        charge = await price(ctx.tx)
        lease = holds.Lease(
            id=gear.uid, tenant=gear.tenant, workspace=gear.workspace, product="gadgets",
            resource=gear.ref, resource_uid=gear.uid, root_uid=gear.root_uid,
        )  # fmt: skip
        most = charge.price * teeth
        await holds.reserve(ctx.tx, lease, most, ceiling=most)
        forge = {"command": ["forge", str(teeth)], "millicores": 100, "memory": 64 << 20}
        job = ctx.put_child("job", f"{gear.name}-forge", forge)
        return hop("forge", state="creating", status={"phase": "forging"}, within=(job,))

    @step(deadline=600, remedy=SMITH, inside=True)
    async def forge(self, ctx: Context) -> Next:
        """Wait for the job, then count the teeth."""
        gear = ctx.resource
        (job,) = await ctx.children()
        if job.phase != "succeeded":
            return nap(5)
        began = gear.created_at
        charge = await price(ctx.tx)
        await holds.start(ctx.tx, gear.uid, [charge], source="smithy", at=began)
        reading = settle.Reading(
            lease=gear.uid, meter="gear-each", start=began, end=job.modified_at,
            quantity=gear.spec["teeth"],
        )  # fmt: skip
        await settle.count(ctx.tx, [reading])
        await settle.finish(ctx.tx, gear.uid, ctx.now)
        return hop("engrave")

    @step(deadline=60, remedy=SMITH)
    async def engrave(self, ctx: Context) -> Next:
        pin = await ctx.secret("pin") or ""
        return done(state="active", status={"phase": "ready", "engraved": len(str(pin))})

    async def on_intent(self, ctx: Context) -> Next:
        return done(status={"phase": "polished"}) if ctx.take("polish") else done()

    @step(deadline=60, remedy=SMITH)
    async def update(self, ctx: Context) -> Next:
        """Go on where it was; once forged, only the engraving can be new."""
        return hop("engrave" if ctx.previous in ("rest", "engrave") else ctx.previous)

    @step(deadline=60, remedy=SMITH, inside=True)
    async def remove(self, ctx: Context) -> Next:
        if await holds.find(ctx.tx, ctx.resource.uid) is not None:
            await settle.finish(ctx.tx, ctx.resource.uid, ctx.now)
        return gone()
