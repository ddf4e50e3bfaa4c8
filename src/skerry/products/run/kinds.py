"""What a tenant may ask to be run."""

from skerry.kernel.kinds import Action, Column, Kind, Ref
from skerry.kernel.views import View
from skerry.products.run.asks import ask_of
from skerry.products.run.flow import JobFlow
from skerry.products.run.hooks import JobHooks
from skerry.products.run.pods.flow import PodFlow
from skerry.products.run.pods.hooks import PodHooks
from skerry.products.run.pods.specs import PodSpec, PodStatus
from skerry.products.run.schedules.flow import ScheduleFlow
from skerry.products.run.schedules.hooks import ScheduleHooks
from skerry.products.run.schedules.specs import ScheduleSpec, ScheduleStatus
from skerry.products.run.secrets.hooks import SecretHooks
from skerry.products.run.secrets.specs import SecretSpec, SecretStatus
from skerry.products.run.services.flow import ServiceFlow
from skerry.products.run.services.hooks import ServiceHooks
from skerry.products.run.services.specs import ServiceSpec, ServiceStatus
from skerry.products.run.specs import JobSpec, JobStatus
from skerry.products.run.views import files, logs, stats
from skerry.products.run.volumes.flow import SnapshotFlow, VolumeFlow
from skerry.products.run.volumes.flow import ask_of as volume_ask_of
from skerry.products.run.volumes.hooks import KeptHooks, VolumeHooks
from skerry.products.run.volumes.specs import SnapshotSpec, SnapshotStatus, VolumeSpec, VolumeStatus
from skerry.products.run.volumes.views import stats as volume_stats
from skerry.series.views import METRICS
from skerry.sites.channels import CONNECT, EXEC


def _uses(above: str = "") -> tuple[Ref, ...]:
    """What a thing that runs takes from its workspace. It may come later: what runs waits for it,
    or says what is missing."""
    fields = {"volumes.*.name": "volume", "secrets.*.secret": "secret", "imageSecret": "secret"}
    return tuple(Ref(above + field, noun, bind="late") for field, noun in fields.items())


JOB = Kind(
    provider="skerry.run",
    collection="jobs",
    noun="job",
    summary="A command that runs to its end, in one or more copies",
    spec=JobSpec,
    status=JobStatus,
    refs=_uses(),
    immutable=(
        "command", "image", "imageSecret", "requirements", "millicores", "memory", "disk", "gpus",
        "gpuModel", "count", "topology", "topologyRequired", "retries", "timeLimit", "env",
        "secrets", "inputs", "volumes", "ports", "artifacts", "isolation", "network", "region",
        "site", "priorityClass", "preemptible", "grace", "scratch",
    ),
    secrets=("secretEnv",),
    quota=10_000,
    actions=(Action("cancel", "Stop it; what it wrote so far is kept"),),
    views=(
        View("logs", "Its output, line for line as it came", logs, "application/x-ndjson",
             {"rank": "which copy, from 0", "offset": "bytes to skip",
              "run": "whose bytes; the newest's", "follow": "wait for more"}, inside=True),
        View("files", "Its artifacts", files, deep=True, inside=True),
        View("stats", "What it uses now", stats),
        METRICS,
    ),
    channels=(EXEC, CONNECT),
    meters=("cpu-hour", "memory-gib-hour", "gpu-hour"),
    flow=JobFlow,
    hooks=JobHooks(),
    ask=ask_of,
    columns=(
        Column("PHASE", "status.phase"),
        Column("EXIT", "status.exitCode"),
        Column("SITE", "status.place.site"),
        Column("COST", "status.cost"),
        Column("AGE", "metadata.createdAt"),
        Column("COMMAND", "spec.command", wide=True),
        Column("COUNT", "spec.count", wide=True),
        Column("ENGINE", "status.engine", wide=True),
    ),
)  # fmt: skip

POD = Kind(
    provider="skerry.run",
    collection="pods",
    noun="pod",
    summary="One long-running workload, kept running somewhere",
    spec=PodSpec,
    status=PodStatus,
    refs=_uses(),
    secrets=("secretEnv",),
    quota=10_000,
    actions=(
        Action("stop", "End it, until it is started again"),
        Action("start", "Run it again after it was stopped or has failed"),
        Action("restart", "End it and start it anew"),
        Action("move", "End it and start it anew, elsewhere if there is another place"),
    ),
    views=(
        View("logs", "Its output, line for line as it came", logs, "application/x-ndjson",
             {"offset": "bytes to skip", "run": "whose bytes; the newest's",
              "follow": "wait for more"}, inside=True),
        View("files", "Files in its directory", files, deep=True, inside=True),
        View("stats", "What it uses now", stats),
        METRICS,
    ),
    channels=(EXEC, CONNECT),
    meters=("cpu-hour", "memory-gib-hour", "gpu-hour"),
    flow=PodFlow,
    hooks=PodHooks(),
    ask=ask_of,
    columns=(
        Column("PHASE", "status.phase"),
        Column("READY", "status.ready"),
        Column("RESTARTS", "status.restarts"),
        Column("SITE", "status.place.site"),
        Column("COST", "status.cost"),
        Column("AGE", "metadata.createdAt"),
        Column("HOST", "status.place.host", wide=True),
        Column("COMMAND", "spec.command", wide=True),
    ),
)  # fmt: skip

SERVICE = Kind(
    provider="skerry.run",
    collection="services",
    noun="service",
    summary="Replicas of one thing behind one URL, replaced without losing a request",
    spec=ServiceSpec,
    status=ServiceStatus,
    refs=_uses(),
    immutable=("protocol",),
    secrets=("secretEnv",),
    quota=1_000,
    actions=(
        Action("rollback", "Run the last revision again that was ready"),
        Action("restart", "Replace all of its pods, one after the other"),
    ),
    views=(
        View("logs", "What a replica wrote, as it came", logs, "application/x-ndjson",
             {"replica": "whose; the newest one's", "offset": "bytes to skip",
              "run": "whose bytes; the newest's", "follow": "wait for more"}, inside=True),
        METRICS,
    ),
    channels=(EXEC, CONNECT),
    meters=("cpu-hour", "memory-gib-hour", "gpu-hour"),
    flow=ServiceFlow,
    hooks=ServiceHooks(),
    columns=(
        Column("PHASE", "status.phase"),
        Column("READY", "status.ready"),
        Column("REPLICAS", "status.replicas"),
        Column("REVISION", "status.revision"),
        Column("URL", "status.url"),
        Column("COST", "status.cost"),
        Column("AGE", "metadata.createdAt"),
        Column("COMMAND", "spec.command", wide=True),
    ),
)  # fmt: skip

SECRET = Kind(
    provider="skerry.run",
    collection="secrets",
    noun="secret",
    summary="Values for what runs, kept by version and never shown",
    spec=SecretSpec,
    status=SecretStatus,
    secrets=("data",),
    quota=1_000,
    hooks=SecretHooks(),
    columns=(
        Column("VERSION", "status.version"),
        Column("KEYS", "status.keys"),
        Column("AGE", "metadata.createdAt"),
    ),
)

SCHEDULE = Kind(
    provider="skerry.run",
    collection="schedules",
    noun="schedule",
    summary="Jobs that start by the clock",
    spec=ScheduleSpec,
    status=ScheduleStatus,
    refs=_uses("job."),
    quota=1_000,
    actions=(Action("start", "Start its job now, beside its times"),),
    flow=ScheduleFlow,
    hooks=ScheduleHooks(),
    columns=(
        Column("PHASE", "status.phase"),
        Column("CRON", "spec.cron"),
        Column("ZONE", "spec.timeZone"),
        Column("NEXT", "status.nextAt"),
        Column("LAST JOB", "status.lastJob"),
        Column("LEFT OUT", "status.leftOut", wide=True),
    ),
)

VOLUME = Kind(
    provider="skerry.run",
    collection="volumes",
    noun="volume",
    summary="Space for files that outlives the jobs and pods that mount it",
    spec=VolumeSpec,
    status=VolumeStatus,
    immutable=("from", "region", "site"),
    quota=10_000,
    views=(View("stats", "How full it is", volume_stats),),
    meters=("storage-gib-month",),
    flow=VolumeFlow,
    hooks=VolumeHooks(),
    ask=volume_ask_of,
    columns=(
        Column("PHASE", "status.phase"),
        Column("SIZE", "status.size"),
        Column("AT", "status.at"),
        Column("WRITER", "status.writer"),
        Column("PER GIB HOUR", "status.pricePerGibHourNano"),
        Column("COST", "status.cost"),
        Column("AGE", "metadata.createdAt"),
        Column("READERS", "status.readers", wide=True),
    ),
)

SNAPSHOT = Kind(
    provider="skerry.run",
    collection="snapshots",
    parent="workspace/volumes",
    noun="snapshot",
    summary="What was in a volume at one moment",
    spec=SnapshotSpec,
    status=SnapshotStatus,
    quota=10_000,
    meters=("storage-gib-month",),
    flow=SnapshotFlow,
    hooks=KeptHooks(),
    columns=(
        Column("PHASE", "status.phase"),
        Column("SIZE", "status.size"),
        Column("AT", "status.at"),
        Column("COST", "status.cost"),
        Column("AGE", "metadata.createdAt"),
    ),
)

KINDS = (JOB, POD, SERVICE, SECRET, SCHEDULE, VOLUME, SNAPSHOT)
