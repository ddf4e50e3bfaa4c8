"""What a job asks of the market."""

from skerry.market.ask import Ask
from skerry.products.run.specs import JobSpec


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
        duration=spec.time_limit,
    )
