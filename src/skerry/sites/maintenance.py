"""Maintenance: a time in which a site, or some of its hosts, is the operator's.

A window is declared ahead. ``notice`` before its start nothing new is placed there any more, and
the tenants of what is there are told; what can move is asked to, unless the policy only warns. At
its start jobs that go on from a checkpoint are asked to do so elsewhere (``move``), or all that is
still there is (``end``). At its end the place is offered again, by itself.

A window never ends a process by itself and never speaks to a place: it asks the flows of what runs
there, by intents, and they do what they do when an owner asks.

One step looks at the clock and does what is due. It may be repeated at any moment: an intent that
is given twice is one, and a notice has a key.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from skerry import notices
from skerry.kernel.errors import Source, ValidationError
from skerry.kernel.flows import FOR_EVER, Context, Flow, Next, done, gone, hop, nap, step
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Column, Kind
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resource, Resources
from skerry.market.site_offers import suspend_offers
from skerry.sites import windows
from skerry.sites.hosts import MOVE
from skerry.sites.places import at_of
from skerry.sites.windows import (
    ANNOUNCED,
    LEAVE,
    OVER,
    PLANNED,
    UNDER_WAY,
    YIELD,
    MaintenanceSpec,
    MaintenanceStatus,
)
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites", "maintenance.sql")
TOPIC = "maintenance.announced"
LONGEST = 24 * 3600.0
AGAIN = 30.0
"""Seconds between two looks at what is still there."""
_NAMED = 10
_WHAT = {
    "warn": "What runs there goes on, as far as the work lets it.",
    "move": "Pods and services move to other places now. Jobs that have a checkpoint are asked to "
    "end at the start and go on elsewhere; others run on, as far as the work lets them.",
    "end": "Pods and services move to other places now. Jobs that still run at the start are asked "
    "to end, and are started anew elsewhere.",
}


class MaintenanceFlow(Flow):
    first = "look"
    on_update = "again"
    on_delete = "remove"

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def look(self, ctx: Context) -> Next:
        """Do what is due, until the next thing is."""
        spec, now = ctx.spec(MaintenanceSpec), ctx.now
        if now >= spec.end:
            return done(state="active", status={"phase": OVER, "left": 0})
        announced = spec.start - timedelta(seconds=spec.notice_seconds)
        if now < announced:
            wait = (announced - now).total_seconds()
            return nap(min(wait, LONGEST), state="active", status={"phase": PLANNED})
        begun = now >= spec.start
        owners = await self._close(ctx)
        told = await self._tell(ctx, spec, owners)
        await self._ask(ctx, spec, owners, begun)
        until = spec.end if begun else spec.start
        wait = (until - now).total_seconds()
        status = {"phase": UNDER_WAY if begun else ANNOUNCED, "left": len(owners), "told": told}
        return nap(min(wait, AGAIN if owners else LONGEST), state="active", status=status)

    async def _close(self, ctx: Context) -> Sequence[Row]:
        """See that nothing new is placed there; the answer is whose work is."""
        places = await windows.places(ctx.tx, ctx.resources, ctx.resource)
        for place in places:
            await suspend_offers(ctx.tx, ctx.resources, at_of(place))
        return await ctx.tx.fetch(_sql.owners, [at_of(place) for place in places])

    async def _tell(self, ctx: Context, spec: MaintenanceSpec, owners: Sequence[Row]) -> int:
        """Warn each tenant once of each start that is set; how many were told so far."""
        known: list[str] = ctx.data.get("told") or []
        for tenant in sorted({row["tenant"] for row in owners} - set(known)):
            names = [row["ref"] for row in owners if row["tenant"] == tenant]
            await notices.post(
                ctx.tx,
                topic=TOPIC,
                tenant=tenant,
                subject=f"Maintenance from {stamp(spec.start)} to {stamp(spec.end)}",
                text=_text(spec, names),
                facts=_facts(spec, names),
                dedupe=f"maintenance/{ctx.resource.uid}/{stamp(spec.start)}/{tenant}",
            )
            known = [*known, tenant]
        ctx.data["told"] = known
        return len(known)

    async def _ask(
        self, ctx: Context, spec: MaintenanceSpec, owners: Sequence[Row], begun: bool
    ) -> None:
        """Ask what is there to go, once each time."""
        if spec.policy == "warn":
            return
        asked: dict[str, str] = dict(ctx.data.get("asked") or {})
        words = (YIELD if spec.policy == "move" else LEAVE) if begun else MOVE
        for row in owners:
            uid = str(row["owner"])
            if asked.get(uid) != words:
                await ctx.resources.intend(ctx.tx, row["owner"], MOVE)
                if begun:
                    await ctx.resources.intend(ctx.tx, row["owner"], words)
                asked[uid] = words
        ctx.data["asked"] = asked

    @step(deadline=300, remedy="It can't go on: see the last problem.", inside=True)
    async def again(self, ctx: Context) -> Next:
        """Other times, or another policy: those who were told are told anew if they differ."""
        return hop("look", data={"told": None, "asked": None})

    @step(deadline=300, remedy="It can't be removed: see the last problem.", inside=True)
    async def remove(self, ctx: Context) -> Next:
        """Its places are offered again by those who offer them."""
        return gone()


def _text(spec: MaintenanceSpec, names: Sequence[str]) -> str:
    shown = "\n".join(names[:_NAMED]) + ("\nand more" if len(names) > _NAMED else "")
    parts = [
        f"From {stamp(spec.start)} to {stamp(spec.end)} the place is being worked on where this "
        f"runs:\n{shown}",
        spec.reason,
        _WHAT[spec.policy],
    ]
    return "\n\n".join(part for part in parts if part)


def _facts(spec: MaintenanceSpec, names: Sequence[str]) -> dict[str, Any]:
    return {
        "start": stamp(spec.start),
        "end": stamp(spec.end),
        "policy": spec.policy,
        "resources": list(names[:_NAMED]),
    }


class MaintenanceHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(MaintenanceSpec)
        if spec.end <= spec.start:
            raise ValidationError(
                "end: it ends before it begins", sources=[Source(pointer="/spec/end")]
            )
        if old is None and spec.end <= await tx.now():
            raise ValidationError("end: it is over already", sources=[Source(pointer="/spec/end")])
        site = new.parent_ref.rpartition("/")[2]
        for index, name in enumerate(spec.hosts):
            path = Path(parents=(site,), name=name)
            if await resources.find(tx, ref_of(resources.registry["host"], path)) is None:
                raise ValidationError(
                    f"hosts: site {site!r} has no host {name!r}",
                    hint=f"Its hosts: skerry host list --site {site}",
                    sources=[Source(pointer=f"/spec/hosts/{index}")],
                )
        return Admitted({"phase": PLANNED} if old is None else {})


MAINTENANCE = Kind(
    provider="skerry.site",
    collection="maintenance",
    noun="maintenance",
    summary="A time in which a site, or some of its hosts, is worked on",
    parent="global/sites",
    spec=MaintenanceSpec,
    status=MaintenanceStatus,
    regional=False,
    operator_only=True,
    flow=MaintenanceFlow,
    hooks=MaintenanceHooks(),
    columns=(
        Column("PHASE", "status.phase"),
        Column("START", "spec.start"),
        Column("END", "spec.end"),
        Column("POLICY", "spec.policy"),
        Column("LEFT", "status.left"),
        Column("HOSTS", "spec.hosts", wide=True),
    ),
)
