"""The file system and the Python environment that a workload runs in, brought before it starts."""

from dataclasses import dataclass

from skerry.kernel.flows import Context
from skerry.products.run.work import WorkSpec
from skerry.sites.contract import Refused, Workloads


@dataclass(frozen=True)
class Prepared:
    image: str = ""
    """Digest for ``Workload.image``."""
    environment: str = ""
    """Digest for ``Workload.environment``."""


async def prepare(ctx: Context, driver: Workloads, spec: WorkSpec) -> Prepared:
    """Bring what the spec names to the site. May be repeated. Raises ``SiteUnreachable`` and
    ``Refused``."""
    if spec.image or spec.requirements:
        what = "images" if spec.image else "Python environments"
        raise Refused("Unsupported", f"this site keeps no {what}")
    return Prepared()
