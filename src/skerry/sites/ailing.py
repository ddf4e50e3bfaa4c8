"""Sick devices: an alert for each place that has some, for as long as it has."""

from skerry.kernel import alerts
from skerry.kernel.resources import Resource
from skerry.sites.contract import Capacity
from skerry.sites.places import at_of, called
from skerry.store import Tx

REASON = "GpuSick"
_NAMED = 4


async def note_sick(tx: Tx, place: Resource, capacity: Capacity) -> None:
    """Called when what the place has is new; says it anew then, since it may be others."""
    sick = [gpu for gpu in capacity.devices if gpu.sick]
    await alerts.clear(tx, place.ref, REASON)
    if not sick:
        return
    named = "; ".join(f"{gpu.uuid}: {gpu.sick}" for gpu in sick[:_NAMED])
    more = f"; and {len(sick) - _NAMED} more" if len(sick) > _NAMED else ""
    whole = len(capacity.devices)
    await alerts.raise_alert(
        tx,
        subject=place.ref,
        reason=REASON,
        message=f"{len(sick)} of the {whole} GPUs of {called(at_of(place))} can't be used: "
        f"{named}{more}",
        remedy="They are offered to nobody and what runs on them goes on. Reset or exchange them: "
        "they come back by themselves once they read well; after an Xid restart the host, or name "
        "them in trustedGpus of its agent's settings.",
    )
