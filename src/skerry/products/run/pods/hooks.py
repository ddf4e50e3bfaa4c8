"""What is refused of a pod in its own request, and what an action may do to it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.checks import check_work
from skerry.products.run.pods.specs import AT_REST, Health, PodSpec
from skerry.products.run.shown import now_shown_of
from skerry.store import Tx


class PodHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(PodSpec)
        await check_work(tx, resources, new, old, spec, by)
        check_health(spec.health)
        return Admitted({"phase": "queued"} if old is None else {})

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        resting = resource.phase in AT_REST
        if action == "start" and not resting:
            raise Conflict(f"pod {resource.name!r} is {resource.phase}: there is nothing to start")
        if action != "start" and resource.phase == "stopped":
            raise Conflict(
                f"pod {resource.name!r} is stopped", hint=f"skerry pod start {resource.name}"
            )
        return None

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return await now_shown_of(tx, page)


def check_health(health: Health | None, port: int = 0) -> None:
    """Refuse a check that checks nothing, or two things. ``port`` is meant where none is named."""
    if health is None:
        return
    port = health.port or (0 if health.command else port)
    if bool(port) == bool(health.command):
        raise ValidationError(
            "health has " + ("both port and command" if port else "neither port nor command"),
            hint="Give a port to connect to (with a path: to ask by HTTP), or a command to run.",
            sources=[Source(pointer="/spec/health")],
        )
    if health.path and not health.path.startswith("/"):
        raise ValidationError(
            f"health: {health.path[:100]!r} does not begin with '/'",
            sources=[Source(pointer="/spec/health/path")],
        )
