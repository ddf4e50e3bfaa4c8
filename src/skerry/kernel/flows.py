"""Flows: how work survives.

A resource's life is a class whose methods are short, repeatable steps. A step says what comes next
by returning ``hop``, ``nap``, ``done`` or ``gone``; what it observed goes with it into the row. A
step that talks to the outside runs between two transactions, claim and commit, and the commit
checks that the worker still holds the lease; ``inside`` steps run wholly in the commit. Steps must
bear repetition: a worker killed anywhere leads to the same step being run again by another.

A put or a delete interrupts a wait: before each step the engine looks whether the generation moved
on (the flow's ``on_update`` step is next) or removal was asked for (``on_delete``). The declared
``deadline`` of a step bounds how long a resource may stay in it before an alert is raised.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from skerry.kernel.history import State
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.store import Database, Tx

T = TypeVar("T")
FOR_EVER = 365 * 24 * 3600.0

Write = Callable[[Tx, Resource], Awaitable[None]]
"""Done in the transaction that ends a step."""


class Services:
    """What a process offers its flows and views, by type: the hub of sites, the blobs, …"""

    def __init__(self, *offered: object) -> None:
        self._offered: dict[type, object] = {type(one): one for one in offered}

    def add(self, service: object, *, as_type: type | None = None) -> None:
        self._offered[as_type or type(service)] = service

    def __getitem__(self, wanted: type[T]) -> T:
        try:
            return self._offered[wanted]  # type: ignore[return-value]
        except KeyError:
            raise LookupError(f"this process offers no {wanted.__name__}") from None


@dataclass(frozen=True)
class Next:
    """What follows a step."""

    step: str | None = None
    """None: stay in this one."""
    after: float = 0.0
    """Seconds until the step is run."""
    state: State | None = None
    status: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Merged into the flow's own notes, which no client sees."""
    within: tuple[Write, ...] = ()
    """Run in the committing transaction."""
    gone: bool = False


def hop(step: str, after: float = 0.0, **more: Any) -> Next:
    """Go to another step."""
    return Next(step=step, after=after, **more)


def nap(seconds: float, **more: Any) -> Next:
    """Run this step again later, or as soon as something pokes the flow."""
    return Next(after=seconds, **more)


def done(**more: Any) -> Next:
    """Nothing to do until a put, an action or a delete."""
    return Next(step="rest", after=FOR_EVER, **more)


def gone(**more: Any) -> Next:
    """The outside holds nothing of it any more: the resource can go. Owned children go first."""
    return Next(gone=True, **more)


@dataclass(frozen=True)
class Step:
    name: str
    run: Callable[["Flow", "Context"], Awaitable[Next]]
    deadline: float
    remedy: str
    inside: bool
    steady: bool = False
    """A resource may stay here as long as it likes: it is as it should be, and watched."""


def step(
    *, deadline: float, remedy: str = "", inside: bool = False, steady: bool = False
) -> Callable[[Callable[[Any, "Context"], Awaitable[Next]]], Any]:
    """Declare a method as a step. ``deadline`` is in seconds from entering it; only a ``steady``
    one may be without (``FOR_EVER``)."""

    def mark(method: Callable[[Any, "Context"], Awaitable[Next]]) -> Any:
        method.__skerry_step__ = Step(  # type: ignore[attr-defined]
            method.__name__, method, deadline, remedy, inside, steady
        )
        return method

    return mark


class Flow:
    """Base of all flows. A subclass per kind; instances hold nothing."""

    first: ClassVar[str] = "start"
    on_update: ClassVar[str] = "update"
    on_delete: ClassVar[str] = "remove"
    steps: ClassVar[Mapping[str, Step]] = {}

    def __init_subclass__(cls) -> None:
        found = dict(cls.steps)
        for name in dir(cls):
            declared = getattr(getattr(cls, name), "__skerry_step__", None)
            if isinstance(declared, Step):
                found[name] = declared
        cls.steps = found
        for needed in (cls.first, cls.on_update, cls.on_delete):
            if needed not in found:
                raise TypeError(f"{cls.__name__} has no step {needed!r}")

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def rest(self, ctx: "Context") -> Next:
        """Where a resource stays that wants nothing; ``on_intent`` sees what is asked for here."""
        following = await self.on_intent(ctx) if ctx.intents else done()
        ctx.taken.update(ctx.intents)
        return following

    async def on_intent(self, ctx: "Context") -> Next:
        """Actions asked for while at rest. Those not taken are dropped."""
        return done()


class Context:
    """What a step sees: the resource as it was claimed, and ways to read and act."""

    def __init__(
        self,
        *,
        db: Database,
        resources: Resources,
        services: Services,
        resource: Resource,
        kind: Kind,
        step: str,
        data: dict[str, Any],
        intents: list[str],
        token: int,
        tries: int,
        entered_at: datetime,
        now: datetime,
        deleting: bool,
        previous: str,
    ) -> None:
        self.db = db
        self.resources = resources
        self.services = services
        self.resource = resource
        self.kind = kind
        self.step = step
        self.data = data
        self.intents = intents
        self.fence = token
        """Grows with every claim: give it to every driver call."""
        self.tries = tries
        self.entered_at = entered_at
        self.now = now
        self.deleting = deleting
        self.previous = previous
        """The step that an update or a removal interrupted; else the same as ``step``."""
        self.tx_or_none: Tx | None = None
        self.taken: set[str] = set()

    def take(self, action: str) -> bool:
        """Whether the action was asked for; it is dropped with this step's commit."""
        if action in self.intents:
            self.taken.add(action)
            return True
        return False

    @property
    def tx(self) -> Tx:
        """The committing transaction; only in ``inside`` steps."""
        if self.tx_or_none is None:
            raise LookupError("this step runs outside a transaction: declare it inside=True")
        return self.tx_or_none

    def spec(self, of: type[T]) -> T:
        return self.resource.typed(of)

    async def secret(self, field: str) -> Any:
        """A sealed field, opened."""
        async with self.db.reading() as tx:
            r = self.resource
            return await self.resources.sealer.open(tx, r.tenant, r.uid, field)

    async def children(self) -> list[Resource]:
        """The resources this one owns."""
        if self.tx_or_none is not None:
            return await self.resources.children(self.tx_or_none, self.resource.uid)
        async with self.db.transaction() as tx:
            return await self.resources.children(tx, self.resource.uid)

    def put_child(
        self, noun: str, name: str, spec: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> Write:
        """For ``Next.within``: create or replace an owned resource of another kind, by name.

        It lives in the owner's workspace, is deleted with it, and is billed under its root.
        """

        async def put(tx: Tx, owner: Resource) -> None:
            kind = self.resources.registry[noun]
            path = Path(owner.tenant, owner.workspace, (), name)
            body = {"spec": dict(spec), "labels": dict(labels or {})}
            current = await self.resources.find(tx, self.resources.ref(kind, path))
            mine = current is not None and current.owner_uid == owner.uid
            if current is None or not mine or current.spec != body["spec"]:
                await self.resources.put(tx, kind, path, body, acting_for(owner), owner=owner)

        return put

    def drop_child(self, child: Resource) -> Write:
        """For ``Next.within``: delete an owned resource."""

        async def drop(tx: Tx, owner: Resource) -> None:
            await self.resources.delete(tx, child, acting_for(owner), owner=owner)

        return drop


def acting_for(owner: Resource) -> Caller:
    """Skerry acting for a tenant's own resource."""
    return Caller(subject=f"system:{owner.ref}", tenant=owner.tenant, operator=SYSTEM.operator)
