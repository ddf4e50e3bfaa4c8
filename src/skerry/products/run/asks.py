"""What one that runs asks of the market."""

import msgspec

from skerry.market.ask import Ask
from skerry.products.run.specs import JobSpec
from skerry.products.run.work import WorkSpec

ENDING = 5
"""Seconds beside its grace that it may take to end when its time is over."""


def ask_of(
    spec: WorkSpec, *, volume_sites: tuple[str, ...] = (), spread_from: tuple[str, ...] = ()
) -> Ask:
    """What it needs of the market. ``volume_sites`` is where its volumes lie (``mounts``), and
    ``spread_from`` where its siblings are, once for each."""
    ask = Ask(
        millicores=spec.millicores,
        memory=spec.memory,
        disk=spec.disk,
        gpus=spec.gpus,
        gpu_models=(spec.gpu_model,) if spec.gpu_model else (),
        isolation=spec.isolation,
        regions=(spec.region,) if spec.region else (),
        sites=(spec.site,) if spec.site else (),
        volume_sites=volume_sites,
        spread_from=spread_from,
    )
    if isinstance(spec, JobSpec):
        # A process may take that long to end when its time is over, and is billed for it.
        duration = spec.time_limit and spec.time_limit + spec.grace + ENDING
        return msgspec.structs.replace(
            ask,
            tasks=spec.count,
            topology=spec.topology,
            topology_required=spec.topology_required and bool(spec.topology),
            duration=duration,
            spot=spec.preemptible,
        )
    return ask
