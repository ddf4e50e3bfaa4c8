"""Hosts: machines that joined a site.

A host is written when a machine joins (``enrolment``), or before that by the operator, who may
cordon it (nothing new is placed there), drain it (what runs there is asked to move, and the host
shows what is still there), revoke its certificates, declare it lost, or remove it.

Draining asks and does not end: a job runs to its end, a pod or a service moves if it can. What is
still there at the deadline is left alone and raises an alert, for the operator to decide.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from skerry.kernel import alerts
from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Action, Column, Kind, Spec, Status
from skerry.kernel.paths import path_of
from skerry.kernel.resources import Resource, Resources
from skerry.market.site_offers import leased_at, suspend_offers, withdraw_offers
from skerry.series.views import HOST_METRICS
from skerry.sites import enrolment, seen
from skerry.sites.places import at_of, called, site_of
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites")
_joining = load("skerry.sites", "joining.sql")
MOVE = "move"
"""What the flow of whatever runs on a host that is drained is told."""
_SHOWN = 50
_BLOCKED = 3


class HostSpec(Spec):
    cordoned: Annotated[bool, Meta(description="Place nothing new there")] = False


class Drain(Spec):
    """Ask what runs there to move."""

    minutes: Annotated[
        int,
        Meta(ge=1, le=60 * 24 * 30, description="Until when it should be empty; then it alerts"),
    ] = 60


class Held(Status):
    """What is still there of one resource."""

    resource: Annotated[str, Meta(description="Whose it is")]
    workloads: Annotated[int, Meta(description="How many workloads")]


class HostStatus(Status):
    phase: Annotated[
        str,
        Meta(description="new, connected, silent, unreachable, cordoned, draining or drained"),
    ] = "new"
    last_seen_at: Annotated[str, Meta(description="When it was last in contact")] = ""
    agent_version: Annotated[str, Meta(description="Of its agent")] = ""
    certificate_expires_at: Annotated[
        str, Meta(description="When its certificate expires, unless it renews it before")
    ] = ""
    clock_ahead_seconds: Annotated[
        int, Meta(description="How far its clock is ahead of the cloud's; negative: behind")
    ] = 0
    capacity: Annotated[
        dict[str, Any], Meta(description="Cores, memory and devices, and what is free of them")
    ] = {}
    engines: Annotated[
        dict[str, str], Meta(description="Engine to its version, or why it can't be used")
    ] = {}
    workloads: Annotated[list[Held], Meta(description="What is there, by whose it is")] = []
    drain_until: Annotated[str, Meta(description="Until when it should be empty")] = ""
    unknown_workloads: Annotated[
        list[str],
        Meta(description="Workloads found there that this cloud never made; they are left alone"),
    ] = []


class HostHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        if old is None:
            await _check_name(tx, resources, new)
        return Admitted(status={} if old else {"phase": "new"})

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        if old is not None and old.spec != new.spec:
            await turned(tx, resources, new)

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        at = at_of(resource)
        live = await tx.fetch(_joining.running_at, at, _BLOCKED + 1)
        if live:
            raise Conflict(
                f"{called(at)} still runs {_in_words(live)}",
                hint=f"Drain it first: skerry host drain {resource.name} --site "
                f"{site_of(resource)}. If the machine is gone for good: skerry host lost.",
            )
        lose = f"skerry host lost {resource.name} --site {site_of(resource)}"
        kept = await tx.fetch(_joining.kept_at, at, _BLOCKED + 1)
        there = [f"keeps artifacts and logs of {_in_words(kept)}"] if kept else []
        leased = await leased_at(tx, at, _BLOCKED + 1)
        if leased and await enrolment.expiries(tx, [resource.uid]):
            there.append(f"is leased to {_listed(leased)}")
        if there:
            raise Conflict(
                f"{called(at)} {' and '.join(there)}",
                hint="Fetch what is needed, and delete or move what it is of. To lose the rest "
                f"with the host: {lose}.",
            )
        await enrolment.revoke(tx, resource, by)
        await withdraw_offers(tx, resources, at)
        await alerts.clear(tx, resource.ref)
        await tx.execute(_sql.forget_contact, at)

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        match action:
            case "cordon":
                await _cordon(tx, resources, resource, True, by)
            case "uncordon":
                await _cordon(tx, resources, resource, False, by)
            case "drain":
                return await _drain(tx, resources, resource, body, by)
            case "revoke":
                return {"revoked": await enrolment.revoke(tx, resource, by)}
            case "lost":
                return await _lose(tx, resources, resource, by)
        return {}

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        places = {one.uid: at_of(one) for one in page}
        expiries = await enrolment.expiries(tx, list(places))
        contacts = await contacts_shown(tx, list(places.values()))
        for row in await tx.fetch(_joining.running_at_each, list(contacts), _SHOWN):
            contacts[row["at"]].setdefault("workloads", []).append(
                {"resource": row["ref"] or str(row["owner"]), "workloads": row["workloads"]}
            )
        shown = {uid: dict(contacts[at]) for uid, at in places.items()}
        for uid, expires in expiries.items():
            shown[uid]["certificateExpiresAt"] = stamp(expires)
        return shown


async def contacts_shown(tx: Tx, places: list[str]) -> dict[str, dict[str, Any]]:
    """The part of each place's status that its last contact tells."""
    orphans: dict[str, list[str]] = {}
    for row in await tx.fetch(_sql.orphans_at, places, _SHOWN):
        orphans.setdefault(row["at"], []).append(row["id"])
    shown: dict[str, dict[str, Any]] = {at: {} for at in places}
    for row in await tx.fetch(_sql.contacts, places):
        shown[row["at"]] = _contact(row)
        if row["at"] in orphans:
            shown[row["at"]]["unknownWorkloads"] = orphans[row["at"]]
    return shown


def _contact(row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if row["last_seen_at"] is not None:
        shown["lastSeenAt"] = stamp(row["last_seen_at"])
    if row["capacity"] is not None:
        shown["capacity"] = {k: v for k, v in row["capacity"].items() if k != "engines"}
        shown["engines"] = row["capacity"].get("engines", {})
    if row["agent_version"]:
        shown["agentVersion"] = row["agent_version"]
    if row["clock_ahead"]:
        shown["clockAheadSeconds"] = round(row["clock_ahead"])
    return shown


async def phase(tx: Tx, host: Resource) -> dict[str, Any]:
    """The part of a host's status that follows from its being in contact."""
    if not host.typed(HostSpec).cordoned:
        return {"phase": "connected", "drainUntil": None}
    until = host.status.get("drainUntil")
    if until is None:
        return {"phase": "cordoned"}
    left = await tx.fetch(_joining.running_at, at_of(host), _BLOCKED + 1)
    if not left:
        await alerts.clear(tx, host.ref, "DrainLate")
        return {"phase": "drained"}
    if stamp(await tx.now()) > until:
        await alerts.raise_alert(
            tx,
            subject=host.ref,
            reason="DrainLate",
            message=f"{called(at_of(host))} was to be empty by {until}; there is still "
            f"{_in_words(left)}",
            remedy="Wait for what runs to its end, or end it; uncordon the host to give up.",
        )
    return {"phase": "draining"}


async def turned(tx: Tx, resources: Resources, host: Resource) -> None:
    """It was cordoned, or that was taken back."""
    if host.typed(HostSpec).cordoned:
        await suspend_offers(tx, resources, at_of(host))
    else:
        await alerts.clear(tx, host.ref, "DrainLate")
    if host.phase in ("new", "silent", "unreachable"):
        return
    current = await resources.by_uid(tx, host.uid)
    await resources.set_status(tx, host.uid, status=await phase(tx, current))


async def _cordon(tx: Tx, resources: Resources, host: Resource, cordoned: bool, by: Caller) -> None:
    if host.typed(HostSpec).cordoned == cordoned:
        return
    kind = resources.registry["host"]
    body = {
        "spec": {"cordoned": cordoned},
        "labels": host.labels,
        "annotations": host.annotations,
        "extensions": host.extensions,
    }
    await resources.put(tx, kind, path_of(kind, host.ref), body, by)


async def _drain(
    tx: Tx, resources: Resources, host: Resource, body: Any, by: Caller
) -> Mapping[str, Any]:
    asked = msgspec.convert(body or {}, Drain)
    until = stamp(await tx.now() + timedelta(minutes=asked.minutes))
    await resources.set_status(tx, host.uid, status={"drainUntil": until}, by=by)
    await _cordon(tx, resources, host, True, by)
    current = await resources.by_uid(tx, host.uid)
    await turned(tx, resources, current)
    await ask_to_move(tx, resources, at_of(host))
    left = await tx.fetch(_joining.running_at, at_of(host), _SHOWN)
    return {
        "until": until,
        "workloads": [
            {"resource": row["ref"] or str(row["owner"]), "workloads": row["workloads"]}
            for row in left
        ],
    }


async def ask_to_move(tx: Tx, resources: Resources, at: str) -> None:
    """Tell the flows of all that is at a place that it should be elsewhere."""
    for owner in await seen.owners_at(tx, at):
        await resources.intend(tx, owner, MOVE)


async def _lose(tx: Tx, resources: Resources, host: Resource, by: Caller) -> Mapping[str, Any]:
    """The operator's word that nothing is there any more. It can't come back by itself."""
    at = at_of(host)
    if host.phase not in ("unreachable", "drained", "new"):
        raise Conflict(
            f"{called(at)} is in contact, and not drained",
            hint="Only a host that is empty or can't be reached can be declared lost: drain it.",
        )
    await enrolment.revoke(tx, host, by)
    await suspend_offers(tx, resources, at)
    lost = await tx.fetch(_joining.lose_workloads, at)
    for owner in sorted({row["owner"] for row in lost}):
        await resources.intend(tx, owner, MOVE)
    return {"workloads": [row["id"] for row in lost]}


async def _check_name(tx: Tx, resources: Resources, host: Resource) -> None:
    if not enrolment.NAME.fullmatch(host.name):
        raise ValidationError(
            f"{host.name!r} can't be a host's name",
            hint="Use up to 63 of a-z, 0-9 and -, not beginning or ending with -.",
            sources=[Source(pointer="/metadata/name")],
        )
    site = await resources.get(tx, host.parent_ref)
    if site.spec.get("driver") != "local":
        raise Conflict(
            f"site {site.name!r} is of the driver {site.spec.get('driver')!r}",
            hint="Machines join sites of the driver local; another driver has its own hosts.",
        )


def _in_words(held: list[Row]) -> str:
    return _listed([row["ref"] or str(row["owner"]) for row in held])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_BLOCKED]) + (" and more" if len(names) > _BLOCKED else "")


HOST = Kind(
    provider="skerry.site",
    collection="hosts",
    noun="host",
    summary="A machine that joined a site",
    parent="global/sites",
    spec=HostSpec,
    status=HostStatus,
    regional=False,
    operator_only=True,
    actions=(
        Action("cordon", "Place nothing new there"),
        Action("uncordon", "Place work there again"),
        Action("drain", "Cordon it and ask what runs there to move", spec=Drain),
        Action("revoke", "End its certificates: its connection is dropped, it must join anew"),
        Action("lost", "Declare that the machine is gone for good, with all that it ran and kept"),
    ),
    views=(HOST_METRICS,),
    hooks=HostHooks(),
    columns=(
        Column("PHASE", "status.phase"),
        Column("LAST SEEN", "status.lastSeenAt"),
        Column("CERTIFICATE UNTIL", "status.certificateExpiresAt"),
        Column("AGENT", "status.agentVersion", wide=True),
        Column("CLOCK", "status.clockAheadSeconds", wide=True),
    ),
)
