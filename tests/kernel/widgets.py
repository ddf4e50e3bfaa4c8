"""Kinds made for the kernel's tests: one of each shape that the kernel must bear."""

from skerry.kernel.flows import Context, Flow, Next, done, gone, hop, nap, step
from skerry.kernel.kinds import Action, Kind, Ref, Reference, Registry, Spec, Status


class Free(Spec):
    pass


class WidgetSpec(Spec):
    size: int
    colour: str = "grey"
    shelf_ref: Reference | None = None
    pin: str | None = None


class WidgetStatus(Status):
    phase: str = ""
    weight: int = 0


class World:
    """The outside that widgets are made in: a dict, and what was called on it."""

    def __init__(self) -> None:
        self.made: dict[str, int] = {}
        self.calls: list[str] = []


class WidgetFlow(Flow):
    @step(deadline=60)
    async def start(self, ctx: Context) -> Next:
        world = ctx.services[World]
        world.calls.append("make")
        world.made[ctx.resource.ref] = ctx.spec(WidgetSpec).size
        return hop("finish", state="creating", status={"phase": "making"})

    @step(deadline=60, inside=True)
    async def finish(self, ctx: Context) -> Next:
        return done(state="active", status={"phase": "made", "weight": ctx.spec(WidgetSpec).size})

    @step(deadline=60)
    async def update(self, ctx: Context) -> Next:
        ctx.services[World].made[ctx.resource.ref] = ctx.spec(WidgetSpec).size
        return hop("finish")

    @step(deadline=60)
    async def remove(self, ctx: Context) -> Next:
        world = ctx.services[World]
        world.calls.append("remove")
        world.made.pop(ctx.resource.ref, None)
        return gone()

    async def on_intent(self, ctx: Context) -> Next:
        return done(status={"phase": "polished"}) if ctx.take("polish") else done()


class BoxFlow(Flow):
    """Owns two widgets and waits for them."""

    @step(deadline=60)
    async def start(self, ctx: Context) -> Next:
        put = [ctx.put_child("widget", f"{ctx.resource.name}-{i}", {"size": i}) for i in (1, 2)]
        return hop("wait", within=tuple(put))

    @step(deadline=60)
    async def wait(self, ctx: Context) -> Next:
        children = await ctx.children()
        if len(children) == 2 and all(c.state == "active" for c in children):
            return done(state="active", status={"phase": "filled"})
        return nap(5)

    @step(deadline=60)
    async def update(self, ctx: Context) -> Next:
        return hop("wait")

    @step(deadline=60)
    async def remove(self, ctx: Context) -> Next:
        return gone()


TENANT = Kind(
    provider="t.identity", collection="tenants", noun="tenant", parent="global",
    summary="A customer", spec=Free, regional=False,
)  # fmt: skip
WORKSPACE = Kind(
    provider="t.workspace", collection="workspaces", noun="workspace", parent="tenant",
    summary="A room for work", spec=Free, quota=3,
)  # fmt: skip
SHELF = Kind(
    provider="t.goods", collection="shelves", noun="shelf", summary="Holds widgets", spec=Free
)
WIDGET = Kind(
    provider="t.goods", collection="widgets", noun="widget", summary="A thing", spec=WidgetSpec,
    status=WidgetStatus, immutable=("colour",), refs=(Ref("shelfRef", "shelf"),),
    secrets=("pin",), quota=5, flow=WidgetFlow, actions=(Action("polish", "Make it shine"),),
)  # fmt: skip
BOX = Kind(
    provider="t.goods", collection="boxes", noun="box", summary="Holds widgets of its own",
    spec=Free, flow=BoxFlow,
)  # fmt: skip
LABEL = Kind(
    provider="t.goods", version="v1beta1", collection="tags", noun="tag",
    parent="workspace/widgets",
    summary="Hangs on a widget", spec=Free,
)  # fmt: skip

REGISTRY = Registry((TENANT, WORKSPACE, SHELF, WIDGET, BOX, LABEL))
