"""What a job asks of the market."""

from skerry.market.ask import Ask
from skerry.products.run.specs import GRACE, JobSpec

ENDING = GRACE + 5


def ask_of(spec: JobSpec) -> Ask:
    """What a job needs of the market."""
    return Ask(
        millicores=spec.millicores,
        memory=spec.memory,
        disk=spec.disk,
        gpus=spec.gpus,
        gpu_models=(spec.gpu_model,) if spec.gpu_model else (),
        tasks=spec.count,
        isolation=spec.isolation,
        regions=(spec.region,) if spec.region else (),
        sites=(spec.site,) if spec.site else (),
        # A process may take that long to end when its time is over, and is billed for it.
        duration=spec.time_limit and spec.time_limit + ENDING,
    )
