"""Kinds for tests of client and command line: every shape that a catalogue can hold."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from skerry.kernel.kinds import Action, Column, Kind, Ref, Reference, Spec, Status
from skerry.kernel.views import Answer, Asked, View


class Nothing(Spec):
    """Nothing to say."""


class JobSpec(Spec, kw_only=True):
    """What a job runs."""

    command: Annotated[
        list[str], Meta(min_length=1, description="Program and arguments; no shell is added.")
    ]
    millicores: Annotated[int, Meta(ge=1, description="Thousandths of a core of each task.")] = 1000
    memory: Annotated[int, Meta(ge=1 << 20, description="Bytes of each task.")] = 1 << 30
    gpus: Annotated[int, Meta(ge=0, le=16, description="GPUs of each task.")] = 0
    gpu_model: Annotated[str, Meta(description="Only this model.")] = ""
    count: Annotated[int, Meta(ge=1, description="Tasks that start together.")] = 1
    env: Annotated[dict[str, str], Meta(description="Environment variables.")] = {}
    secret_env: Annotated[dict[str, str], Meta(description="Sealed variables.")] = {}
    inputs: Annotated[list[dict[str, Any]], Meta(description="Files put in place first.")] = []
    artifacts: Annotated[list[str], Meta(description="Globs of files to keep.")] = []
    retries: Annotated[int, Meta(ge=0, description="How often a failed job starts again.")] = 0
    time_limit: Annotated[int, Meta(ge=0, description="Seconds from start.")] = 0
    isolation: Annotated[
        Literal["sandbox", "vm", "process"], Meta(description="How it is kept apart.")
    ] = "sandbox"
    network: Annotated[bool, Meta(description="Whether it reaches the outside.")] = False
    region: Annotated[str, Meta(description="Only in this region.")] = ""


class Cidr(Spec):
    """An address range."""

    ipv4: Annotated[str, Meta(description="Such as 10.0.0.0/16.")] = ""
    ipv6: str = ""


class NetworkSpec(Spec, kw_only=True):
    """What a network is."""

    cidr: Annotated[Cidr, Meta(description="Its addresses.")]
    sku_ref: Annotated[Reference | None, Meta(description="Its SKU.")] = None


class SubnetSpec(Spec, kw_only=True):
    """A part of a network."""

    cidr: Cidr
    url: Annotated[str, Meta(description="A field with the name of a flag.")] = ""


class KeySpec(Spec, kw_only=True):
    """A key for something outside."""

    password: Annotated[str, Meta(description="Never shown again.")] = ""
    rotate_days: int = 30


class RotateSpec(Spec, kw_only=True):
    """How to rotate."""

    grace: Annotated[int, Meta(description="Seconds the old one stays valid.")] = 0


class QuoteSpec(Spec, kw_only=True):
    kind: str
    spec: dict[str, Any] = {}


class AcceptSpec(Spec, kw_only=True):
    name: Annotated[str, Meta(description="Name of the new resource")]


WORKSPACE = Kind(
    provider="seca.workspace", collection="workspaces", parent="tenant", noun="workspace",
    summary="A place for resources", spec=dict[str, Any],
)  # fmt: skip


async def _unused(asked: Asked) -> Answer:
    return {}


NDJSON = "application/x-ndjson"
JOB_VIEWS = (
    View("logs", "What a task wrote", _unused, NDJSON, {"rank": "Which task"}),
    View("files", "Its artifacts", _unused, deep=True),
    View("cost", "What it has cost so far", _unused),
    View("metrics", "What it used, over time", _unused, query={"from": "a time"}),
    View("decision", "Why it runs where it does", _unused),
    View("receipt", "The proof of it all", _unused),
    View("page", "The invoice to print", _unused, "text/html"),
)
JOB = Kind(
    provider="skerry.run", collection="jobs", noun="job", summary="A command that runs to its end",
    spec=JobSpec, secrets=("secretEnv",), actions=(Action("cancel", "Stop it for good"),),
    views=JOB_VIEWS, meters=("cpu-second",), ask=lambda spec: spec,
    columns=(
        Column("phase", "status.phase"),
        Column("exit", "status.exitCode"),
        Column("cost", "status.cost.amountNano"),
        Column("place", "status.place.site", wide=True),
    ),
)  # fmt: skip
NETWORK = Kind(
    provider="seca.network", collection="networks", noun="network", summary="A private network",
    spec=NetworkSpec, immutable=("cidr",), refs=(Ref("skuRef", "network-sku", "late"),),
)  # fmt: skip
SUBNET = Kind(
    provider="seca.network", collection="subnets", parent="workspace/networks", noun="subnet",
    summary="A part of a network", spec=SubnetSpec,
)  # fmt: skip
SKU = Kind(
    provider="seca.network", collection="skus", parent="tenant", noun="network-sku",
    summary="A priced network", spec=Nothing, ops=frozenset(("get", "list")), history=False,
)  # fmt: skip
KEY = Kind(
    provider="skerry.vault", version="v1beta1", collection="ciphers", noun="cipher",
    summary="A key for something outside", spec=KeySpec, secrets=("password",),
    actions=(Action("rotate", "Make a new one", RotateSpec),),
)  # fmt: skip
QUOTE = Kind(
    provider="skerry.market", collection="quotes", noun="quote", summary="A price before the start",
    spec=QuoteSpec, status=Status, actions=(Action("accept", "Take it as it stands", AcceptSpec),),
    columns=(Column("price/h", "status.pricePerHourNano"), Column("site", "status.place.site")),
)  # fmt: skip

KINDS = (JOB, KEY, NETWORK, SKU, SUBNET, WORKSPACE, QUOTE)
