"""What is refused of a route in its own request, what ``open`` gives, and what is shown of it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.gateway import face, hosts, passes
from skerry.gateway.certificates import certificates_of
from skerry.gateway.specs import BackendSpec, Opened, RouteSpec
from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.gateway")


class RouteHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(RouteSpec)
        if spec.protocol == "tcp" and (spec.hosts or spec.login):
            raise ValidationError(
                "a tcp route has a port, and neither names nor login",
                hint="Leave hosts and login out.",
                sources=[Source(pointer="/spec/protocol")],
            )
        if spec.protocol == "http" and spec.tcp_port:
            raise ValidationError(
                "an http route has no port of its own", sources=[Source(pointer="/spec/tcpPort")]
            )
        known = set(old.typed(RouteSpec).backends) if old else set()
        await _check_backends(tx, new.tenant, set(spec.backends) - known)
        said = await face.named(tx, new)
        return Admitted(status={name: value for name, value in said.items() if value})

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        await hosts.release(tx, resource.uid)
        await tx.execute(_sql.drop_passes, resource.uid)
        await tx.execute(_sql.drop_seen, resource.uid)

    async def act(
        self, tx: Tx, resources: Resources, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any] | None:
        if not isinstance(body, Opened):
            return None
        return await passes.invite(tx, resource, by, body.path)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        shown: dict[uuid.UUID, dict[str, Any]] = {one.uid: {} for one in page}
        for row in await tx.fetch(_sql.traffic_of, list(shown)):
            if row["last_at"] is not None:
                shown[row["route"]]["lastRequestAt"] = stamp(row["last_at"])
            if row["requests"]:
                shown[row["route"]]["requests"] = row["requests"]
        names = {one.uid: one.status.get("hosts") or [] for one in page}
        vouched = await certificates_of(tx, {name for those in names.values() for name in those})
        for uid, those in names.items():
            found = [vouched[name] for name in those if name in vouched]
            if found:
                shown[uid]["certificates"] = found
        return shown


async def _check_backends(tx: Tx, tenant: str, backends: set[BackendSpec]) -> None:
    """A route leads to its own tenant's workloads and to nobody else's."""
    if not backends:
        return
    wanted = {backend.workload for backend in backends}
    rows = await tx.fetch(_sql.tenants_of_workloads, sorted(wanted))
    missing = wanted - {row["id"] for row in rows if row["tenant"] == tenant}
    if missing:
        raise ValidationError(
            f"there is no workload {min(missing)!r} of tenant {tenant!r}",
            sources=[Source(pointer="/spec/backends")],
        )


class DomainHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        await tx.execute(_sql.lock_domain, new.name)
        other = await tx.fetchrow(_sql.domain_of, [new.name])
        if other is not None and other["tenant"] != new.tenant:
            raise Conflict(
                f"domain {new.name!r} is granted to tenant {other['tenant']!r}",
                hint="Take it from that tenant first.",
            )
        return Admitted()

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        used = await tx.fetchrow(_sql.hosts_below, resource.name, resource.tenant)
        if used is not None:
            raise Conflict(
                f"route {used['name']!r} has the name {used['host']!r}",
                hint="Take that name from the route first.",
            )
