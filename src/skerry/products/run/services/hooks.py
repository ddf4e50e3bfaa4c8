"""What is refused of a service in its own request, and what an action does to it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.bill import spent_of
from skerry.products.run.checks import check_work
from skerry.products.run.pods.hooks import check_health
from skerry.products.run.services import revisions
from skerry.products.run.services.specs import OF_THE_SERVICE, ServiceSpec
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.products.run")
_LONGEST = 100


class ServiceHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(ServiceSpec)
        _check(new, spec)
        check_health(spec.health, spec.port)
        await check_work(tx, resources, new, old, spec, by)
        if old is None:
            await _check_route(tx, resources, new)
            return Admitted({"phase": "starting"})
        return Admitted()

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        if action != "rollback":
            return None
        data = await tx.fetchval(_sql.notes, resource.uid)
        kept = revisions.known(data or {})
        good = [one for one in kept[:-1] if one.ready]
        if not good:
            raise Conflict(
                f"service {resource.name!r} has no earlier revision that was ever ready",
                hint=f"Put a mended one: skerry service update {resource.name}",
            )
        await _put_again(tx, resources, resource, good[-1], by)
        return {"revision": good[-1].number}

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return await spent_of(tx, page)


def _check(new: Resource, spec: ServiceSpec) -> None:
    if len(new.name) > _LONGEST:
        raise ValidationError(
            f"the name of a service has at most {_LONGEST} letters",
            sources=[Source(pointer="/metadata/name")],
        )
    writes = [volume.name for volume in spec.volumes if not volume.read_only]
    if writes and spec.replicas > 1:
        raise ValidationError(
            f"volume {writes[0]!r} is written to by one workload at a time, "
            f"and this service has {spec.replicas}",
            hint="Ask for one replica, or mount it with readOnly.",
            sources=[Source(pointer="/spec/replicas")],
        )
    if spec.protocol == "tcp" and (spec.hosts or spec.login):
        raise ValidationError(
            "a tcp service has a port of the gateway, and neither names nor login",
            sources=[Source(pointer="/spec/protocol")],
        )


async def _check_route(tx: Tx, resources: Resources, new: Resource) -> None:
    """Its route has its own name."""
    ref = ref_of(resources.registry["route"], Path(new.tenant, new.workspace, (), new.name))
    if await resources.find(tx, ref) is not None:
        raise Conflict(
            f"there is a route {new.name!r} already, and a service has one of its own name",
            hint="Delete that route, or use another name.",
        )


async def _put_again(
    tx: Tx, resources: Resources, service: Resource, revision: revisions.Kept, by: Caller
) -> None:
    """Let the spec be what it was, but for what is not its pods'."""
    own = {revisions.camel(field) for field in OF_THE_SERVICE}
    spec = {name: value for name, value in service.spec.items() if name in own}
    pods = {name: value for name, value in revision.spec.items() if name not in own}
    sealed = revisions.sealed_name(revision.number)
    secret = await resources.sealer.open(tx, service.tenant, service.uid, sealed)
    if secret:
        pods[revisions.SEALED] = secret
    kind = resources.registry[service.kind]
    owner = await resources.by_uid(tx, service.owner_uid) if service.owner_uid else None
    body = {
        "labels": service.labels,
        "annotations": service.annotations,
        "extensions": service.extensions,
        "spec": {**spec, **pods, "port": revision.spec["ports"][0]},
    }
    path = Path(service.tenant, service.workspace, (), service.name)
    await resources.put(tx, kind, path, body, by, owner=owner)
