"""What a tenant may ask for: notebooks."""

from skerry.kernel.kinds import Action, Column, Kind, Ref
from skerry.market.ask import Ask
from skerry.products.notebook.flow import NotebookFlow
from skerry.products.notebook.hooks import NotebookHooks
from skerry.products.notebook.specs import NotebookSpec, NotebookStatus, Opening
from skerry.series.views import METRICS
from skerry.sites.channels import CONNECT, EXEC


def ask_of(spec: NotebookSpec) -> Ask:
    """What it needs of the market, for a quote; its pod asks for the same."""
    return Ask(
        millicores=spec.millicores,
        memory=spec.memory,
        disk=spec.disk,
        gpus=spec.gpus,
        gpu_models=(spec.gpu_model,) if spec.gpu_model else (),
        isolation=spec.isolation,
        regions=(spec.region,) if spec.region else (),
        sites=(spec.site,) if spec.site else (),
    )


NOTEBOOK = Kind(
    provider="skerry.notebook",
    collection="notebooks",
    noun="notebook",
    summary="JupyterLab by a link, stopped when nobody uses it",
    spec=NotebookSpec,
    status=NotebookStatus,
    refs=tuple(
        Ref(field, noun, bind="late")
        for field, noun in (
            ("volume", "volume"),
            ("volumes.*.name", "volume"),
            ("secrets.*.secret", "secret"),
            ("imageSecret", "secret"),
        )
    ),
    secrets=("secretEnv",),
    quota=1_000,
    actions=(
        Action("open", "Make a link that lets you in, once", Opening),
        Action("start", "Run it again after it has stopped"),
        Action("stop", "End it until somebody opens it or starts it"),
        Action("restart", "End it and start it anew"),
    ),
    views=(METRICS,),
    channels=(EXEC, CONNECT),
    meters=("cpu-hour", "memory-gib-hour", "gpu-hour"),
    flow=NotebookFlow,
    hooks=NotebookHooks(),
    ask=ask_of,
    columns=(
        Column("PHASE", "status.phase"),
        Column("VOLUME", "spec.volume"),
        Column("GPUS", "spec.gpus"),
        Column("COST", "status.cost"),
        Column("PER HOUR", "status.cost.perHourNano"),
        Column("URL", "status.url"),
        Column("AGE", "metadata.createdAt"),
        Column("SITE", "status.site", wide=True),
        Column("WHY", "status.reason", wide=True),
    ),
)

KINDS = (NOTEBOOK,)
