"""What a tenant may ask of gadgets."""

from typing import Annotated

from msgspec import Meta
from skerry.products.gadgets.flow import GearFlow

from skerry.kernel.kinds import Action, Column, Kind, Spec, Status
from skerry.kernel.views import Asked, View

PROVIDER = "acme.gadgets"


class GadgetSpec(Spec):
    colour: Annotated[str, Meta(max_length=20, description="Its colour")] = "grey"


class GearSpec(Spec):
    teeth: Annotated[int, Meta(ge=1, le=100, description="How many teeth it has")]
    pin: Annotated[str | None, Meta(description="What is engraved inside, for the owner only")] = (
        None
    )


class GearStatus(Status):
    phase: Annotated[str, Meta(description="forging, ready or polished")] = ""
    engraved: Annotated[int, Meta(description="How many letters are engraved")] = 0


async def drawing(asked: Asked) -> dict[str, object]:
    """A view of its own."""
    return {"teeth": asked.resource.spec["teeth"]}


KINDS = [
    Kind(
        provider=PROVIDER,
        collection="gadgets",
        noun="gadget",
        summary="A thing made of gears",
        spec=GadgetSpec,
        quota=3,
        columns=(Column("COLOUR", "spec.colour"),),
    ),
    Kind(
        provider=PROVIDER,
        version="v1beta1",
        parent="workspace/gadgets",
        collection="gears",
        noun="gear",
        summary="A wheel with teeth, forged by a job",
        spec=GearSpec,
        status=GearStatus,
        immutable=("teeth",),
        secrets=("pin",),
        quota=2,
        actions=(Action("polish", "Make it shine"),),
        views=(View("drawing", "What it looks like", drawing),),
        meters=("gear-each",),
        flow=GearFlow,
        columns=(Column("PHASE", "status.phase"), Column("TEETH", "spec.teeth")),
    ),
]
