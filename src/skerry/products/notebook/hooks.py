"""What is refused of a notebook in its own request, the link into it, and what it costs."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from skerry.gateway.passes import invite
from skerry.kernel.errors import Conflict, Problem
from skerry.kernel.flows import acting_for
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.ledger.cost import costs
from skerry.products.notebook import jupyter
from skerry.products.notebook.specs import NotebookSpec, Opening
from skerry.store import Tx

SEALED = "key"
"""The name under which its key is sealed, beside the fields of its spec."""


class NotebookHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        await _check_pod(tx, resources, new, by)
        if old is not None:
            return Admitted()
        if await child(tx, resources, new, "pod") is not None:
            raise Conflict(
                f"there is a pod {new.name!r} already, and a notebook has one of its own name",
                hint="Delete that pod, or use another name.",
            )
        return Admitted({"phase": "starting"})

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        """Its route is there at once, so that its address is known from the first answer on."""
        if old is not None:
            return
        key = secrets.token_urlsafe(32)
        await resources.sealer.seal(tx, new.tenant, new.uid, SEALED, key)
        kind = resources.registry["route"]
        path = Path(new.tenant, new.workspace, (), new.name)
        spec = {**route(new.typed(NotebookSpec)), "key": key}
        await resources.put(tx, kind, path, {"spec": spec}, acting_for(new), owner=new)

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        if action != "open":
            return None
        found = await child(tx, resources, resource, "route")
        if found is None:
            raise Conflict(f"notebook {resource.name!r} has no address any more")
        path = body.path if isinstance(body, Opening) else Opening().path
        return await invite(tx, found, by, path)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        shown: dict[uuid.UUID, dict[str, Any]] = {one.uid: {} for one in page}
        for tenant in {one.tenant for one in page}:
            mine = [one.uid for one in page if one.tenant == tenant]
            currency, found = await costs(tx, tenant, mine)
            for uid in mine:
                amount, an_hour = found.get(uid, (0, 0))
                cost = {"currency": currency, "amountNano": amount, "perHourNano": an_hour}
                shown[uid]["cost"] = cost
        refs = {one.uid: _ref(resources, one, "route") for one in page}
        routes = await resources.find_all(tx, list(refs.values()))
        for uid, ref in refs.items():
            if ref in routes and routes[ref].status.get("url"):
                shown[uid]["url"] = routes[ref].status["url"]
        return shown


def route(spec: NotebookSpec) -> dict[str, Any]:
    """Its route's spec while nothing answers there."""
    made: dict[str, Any] = {"login": True, "wake": "page"}
    return {**made, "idle": spec.idle} if spec.idle else made


async def child(tx: Tx, resources: Resources, notebook: Resource, noun: str) -> Resource | None:
    """What bears its name: its own, once it was put."""
    return await resources.find(tx, _ref(resources, notebook, noun))


def _ref(resources: Resources, notebook: Resource, noun: str) -> str:
    path = Path(notebook.tenant, notebook.workspace, (), notebook.name)
    return ref_of(resources.registry[noun], path)


async def _check_pod(tx: Tx, resources: Resources, new: Resource, by: Caller) -> None:
    """The pod as if it were put now, by the same caller: later Skerry itself puts it."""
    kind, spec = resources.registry["pod"], new.typed(NotebookSpec)
    pod = msgspec.structs.replace(new, kind="pod", spec=jupyter.pod(spec, new.spec), status={})
    try:
        assert kind.hooks is not None
        await kind.hooks.admit(tx, resources, pod, None, by)
    except Problem as problem:
        problem.sources = [
            msgspec.structs.replace(source, pointer=_pointer(spec, source.pointer))
            for source in problem.sources
        ]
        raise


def _pointer(spec: NotebookSpec, pointer: str) -> str:
    """Where the notebook says what its pod was refused for: its own volume is the pod's first."""
    parts = pointer.split("/")
    if not spec.volume or parts[:3] != ["", "spec", "volumes"] or len(parts) < 4:
        return pointer
    if parts[3] == "0":
        return "/spec/volume"
    return "/".join((*parts[:3], str(int(parts[3]) - 1), *parts[4:]))
