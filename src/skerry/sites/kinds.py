"""Regions, sites and their hosts (``hosts``).

A region is SECA's: a place with one jurisdiction and its zones; a site is a zone's computers, and
who answers for them. Both are written by the operator, or by Skerry when it starts.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from skerry.kernel.changes import canonical
from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.hooks import SYSTEM, Admitted, Caller, Hooks
from skerry.kernel.kinds import READ_ONLY, Action, Column, Kind, Spec, Status
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.series.views import HOST_METRICS
from skerry.sites import drivers, enrolment, tokens
from skerry.sites.contract import Refused
from skerry.sites.hosts import HOST, contacts_shown
from skerry.sites.maintenance import MAINTENANCE
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.sites")


class Provider(Spec):
    """An API of the region, as SECA clients look for it."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="Such as seca.compute")]
    url: Annotated[
        str, Meta(min_length=1, max_length=4000, description="Where it is, without the version")
    ]
    version: Annotated[str, Meta(min_length=1, max_length=16, description="Such as v1")]


class RegionSpec(Spec):
    available_zones: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=32)]],
        Meta(min_length=1, max_length=32, description="Zones that things can be placed in"),
    ]
    providers: Annotated[
        list[Provider], Meta(min_length=1, max_length=64, description="APIs and where they are")
    ]


class SiteSpec(Spec):
    driver: Annotated[
        str, Meta(min_length=1, max_length=64, description="What runs there: local, simulated, …")
    ]
    region: Annotated[str, Meta(min_length=1, max_length=64, description="The region it is in")]
    zone: Annotated[
        str, Meta(min_length=1, max_length=32, description="The zone of the region that it is")
    ]
    jurisdiction: Annotated[
        str,
        Meta(
            pattern="^([A-Z]{2})?$",
            description="Country whose law holds there (ISO 3166-1 alpha-2); empty: unknown, and "
            "policies that name countries refuse it",
        ),
    ] = ""
    operator: Annotated[
        str, Meta(max_length=64, description="Who runs it; empty: the operator of this cloud")
    ] = ""
    trust_tier: Annotated[
        int, Meta(ge=0, le=4, description="How far the operator is trusted, 0 to 4")
    ] = 0
    config: Annotated[dict[str, Any], Meta(description="What the driver needs to know")] = {}
    kubeconfig: Annotated[
        str,
        Meta(
            max_length=100_000,
            description="How driver kubernetes signs in to its cluster: a kubeconfig that stands "
            "by itself; empty: it runs inside of it",
            extra_json_schema={"format": "file"},
        ),
    ] = ""


class Invite(Spec):
    """A token to join by."""

    host: Annotated[
        str,
        Meta(
            max_length=63,
            description="The only name it is good for: needed to join anew under a name in use",
        ),
    ] = ""
    minutes: Annotated[int, Meta(ge=1, le=60 * 24 * 7, description="How long it is good")] = 60


class SiteStatus(Status):
    phase: Annotated[str, Meta(description="new, connected, silent or unreachable")] = "new"
    last_seen_at: Annotated[str, Meta(description="When it was last in contact")] = ""
    agent_version: Annotated[str, Meta(description="Of the host agent, where there is one")] = ""
    capacity: Annotated[
        dict[str, Any], Meta(description="Cores, memory and devices, and what is free of them")
    ] = {}
    engines: Annotated[
        dict[str, str], Meta(description="Engine to its version, or why it can't be used")
    ] = {}
    clock_ahead_seconds: Annotated[
        int, Meta(description="How far its clock is ahead of the cloud's; negative: behind")
    ] = 0
    hosts: Annotated[
        dict[str, int], Meta(description="How many machines joined it, by their phase")
    ] = {}
    unknown_workloads: Annotated[
        list[str],
        Meta(description="Workloads found there that this cloud never made; they are left alone"),
    ] = []


class SiteHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(SiteSpec)
        if old is None and "." in new.name:
            raise ValidationError(
                f"{new.name!r} can't be a site's name",
                hint="Leave out the dot: offers of a site's hosts are called SITE.HOST.",
                sources=[Source(pointer="/metadata/name")],
            )
        _check_driver(spec)  # and with its secrets once they are sealed
        await _check_place(tx, resources, spec)
        return Admitted(status={} if old else {"phase": "new"})

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        given = await secrets_of(tx, resources, new)
        if given:
            _check_driver(new.typed(SiteSpec), given)

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        live = await tx.fetchval(_sql.live_workloads, resource.name)
        if live:
            raise Conflict(
                f"{live} workloads are still at site {resource.name!r}",
                hint="Stop what runs there first, or wait until it has moved.",
            )
        await tokens.revoke(tx, resource.name, by)
        await enrolment.withdraw(tx, resource.name, by)
        await tx.execute(_sql.forget_contact, resource.name)

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        if action == "invite":
            asked = msgspec.convert(body or {}, Invite)
            life = timedelta(minutes=asked.minutes)
            return await enrolment.invite(tx, resource, asked.host, life, by)
        return {"token": await tokens.issue(tx, resource.name, by)}

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        contacts = await contacts_shown(tx, [one.name for one in page])
        hosts: dict[str, dict[str, int]] = {}
        for row in await tx.fetch(_sql.hosts_of, [one.ref for one in page]):
            hosts.setdefault(row["site"], {})[row["phase"]] = row["hosts"]
        return {
            one.uid: contacts[one.name] | ({"hosts": hosts[one.ref]} if one.ref in hosts else {})
            for one in page
        }


async def secrets_of(tx: Tx, resources: Resources, site: Resource) -> dict[str, Any]:
    """What the driver is told beside ``spec.config``, and nobody is ever shown."""
    found = await resources.sealer.open(tx, site.tenant, site.uid, "kubeconfig")
    return {"kubeconfig": found} if found else {}


def _check_driver(spec: SiteSpec, given: Mapping[str, Any] | None = None) -> None:
    known = drivers.discover()
    manifest = known.get(spec.driver)
    if manifest is None:
        raise ValidationError.at(
            "/spec/driver", f"there is no driver {spec.driver!r}", f"Known are {', '.join(known)}."
        )
    if manifest.check is not None:
        try:
            manifest.check({**spec.config, **(given or {})})
        except Refused as refused:
            at = "/spec/kubeconfig" if given else "/spec/config"
            raise ValidationError.at(
                at, refused.message, f"See what {manifest.title} needs."
            ) from None


async def _check_place(tx: Tx, resources: Resources, spec: SiteSpec) -> None:
    kind = resources.registry["region"]
    region = await resources.find(tx, resources.ref(kind, Path(name=spec.region)))
    if region is None:
        raise ValidationError.at(
            "/spec/region", f"there is no region {spec.region!r}", "Name one that exists."
        )
    zones = region.typed(RegionSpec).available_zones
    if spec.zone not in zones:
        raise ValidationError.at(
            "/spec/zone",
            f"region {spec.region!r} has no zone {spec.zone!r}",
            f"Its zones are {', '.join(zones)}.",
        )


async def ensure_region(
    tx: Tx,
    resources: Resources,
    name: str,
    zones: Iterable[str],
    base_url: str,
    providers: Iterable[tuple[str, str]] = (),
) -> None:
    """Write the region as it should be; nothing happens if it already is.

    ``providers`` are names and versions, by default those of every kind that lives in a region.
    """
    registry = resources.registry
    regional = {(kind.provider, kind.version) for kind in registry.kinds if kind.regional}
    spec = RegionSpec(
        available_zones=list(zones),
        providers=[
            Provider(
                name=provider, url=f"{base_url.rstrip('/')}/providers/{provider}", version=version
            )
            for provider, version in sorted(set(providers) or regional)
        ],
    )
    kind, path = registry["region"], Path(name=name)
    body = msgspec.to_builtins(spec)
    current = await resources.find(tx, resources.ref(kind, path))
    if current is None or canonical(current.spec) != canonical(body):
        await resources.put(tx, kind, path, {"spec": body}, SYSTEM)


KINDS = [
    Kind(
        provider="seca.region",
        collection="regions",
        noun="region",
        summary="A place with one jurisdiction, its zones and its APIs",
        parent="global",
        spec=RegionSpec,
        ops=READ_ONLY,
        regional=False,
        history=False,
        public=True,
        operator_only=True,
        columns=(Column("ZONES", "spec.availableZones"),),
    ),
    Kind(
        provider="skerry.site",
        collection="sites",
        noun="site",
        summary="Computers at one place, offered to tenants through one driver",
        parent="global",
        spec=SiteSpec,
        status=SiteStatus,
        regional=False,
        operator_only=True,
        immutable=("driver", "region", "zone"),
        secrets=("kubeconfig",),
        actions=(
            Action("issue-token", "Make a new token for the site's host agent, ending older ones"),
            Action("invite", "Make a token by which a machine joins as a host, once", spec=Invite),
        ),
        views=(HOST_METRICS,),
        hooks=SiteHooks(),
        columns=(
            Column("PHASE", "status.phase"),
            Column("DRIVER", "spec.driver"),
            Column("ZONE", "spec.zone"),
            Column("COUNTRY", "spec.jurisdiction"),
            Column("LAST SEEN", "status.lastSeenAt"),
            Column("AGENT", "status.agentVersion", wide=True),
        ),
    ),
    HOST,
    MAINTENANCE,
]
