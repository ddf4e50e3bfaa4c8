"""The words of a service."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.gateway.specs import LimitsSpec, RouteSpec
from skerry.kernel.kinds import Status
from skerry.products.run.pods.specs import PodSpec
from skerry.products.run.work import Cost, PortNumber

Phase = Literal["starting", "running", "rolling", "failing", "asleep", "stopped"]
KEPT = 10
"""Revisions that are remembered."""
SHOWN = 100
"""Pods that are told of one by one."""


class ServiceSpec(PodSpec, kw_only=True):
    """What runs in each replica, how many there are, and how they are reached."""

    port: Annotated[PortNumber, Meta(description="The port that it listens on")]
    replicas: Annotated[int, Meta(ge=0, le=1000, description="How many run at once")] = 1
    surge: Annotated[
        int, Meta(ge=1, le=1000, description="How many more may run while they are replaced")
    ] = 1
    progress: Annotated[
        int,
        Meta(ge=1, le=86400, description="Seconds a change may take until it is called failing"),
    ] = 300
    drain: Annotated[
        int,
        Meta(ge=0, le=86400, description="Seconds that requests under way have when one leaves"),
    ] = 60
    idle: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86400,
            description="Seconds without a request until it sleeps; 0: it never does",
        ),
    ] = 0
    protocol: Annotated[
        Literal["http", "tcp"], Meta(description="tcp: any bytes, by a port of the gateway")
    ] = "http"
    hosts: Annotated[
        list[Annotated[str, Meta(max_length=253)]],
        Meta(max_length=32, description="Names of your own, beside the automatic one"),
    ] = []
    login: Annotated[bool, Meta(description="Let in only those who may change it")] = False
    limits: Annotated[LimitsSpec, Meta(description="What its route may take")] = LimitsSpec()


OF_THE_SERVICE = frozenset(ServiceSpec.__struct_fields__) - frozenset(PodSpec.__struct_fields__)
"""Fields that its pods do not have."""
OF_THE_ROUTE = OF_THE_SERVICE & frozenset(RouteSpec.__struct_fields__)


class Revision(Status):
    """One state of what runs."""

    number: Annotated[int, Meta(description="Counted from 1")]
    created_at: Annotated[datetime, Meta(description="When it was wanted first")]
    ready: Annotated[bool, Meta(description="Whether it was ever wholly ready")] = False
    note: Annotated[str, Meta(description="What it came from")] = ""


class Replica(Status):
    """One pod."""

    name: Annotated[str, Meta(description="The pod's name")]
    revision: Annotated[int, Meta(description="The revision that it runs")]
    phase: Annotated[str, Meta(description="How far it is")]
    ready: Annotated[bool, Meta(description="Whether it takes requests")] = False
    leaving: Annotated[bool, Meta(description="Whether it is on its way out")] = False
    at: Annotated[str, Meta(description="The site, or site/host")] = ""


class ServiceStatus(Status):
    phase: Annotated[Phase, Meta(description="How it is")] = "starting"
    reason: Annotated[str, Meta(description="Why it is so, in a word")] = ""
    message: Annotated[str, Meta(description="Why it is so, in words")] = ""
    url: Annotated[str, Meta(description="Where it is reached")] = ""
    replicas: Annotated[int, Meta(description="How many are wanted now; 0 while it sleeps")] = 0
    ready: Annotated[int, Meta(description="Replicas that take requests")] = 0
    revision: Annotated[int, Meta(description="The revision that is wanted")] = 0
    revisions: Annotated[list[Revision], Meta(description="What it was, newest first")] = []
    pods: Annotated[list[Replica], Meta(description="Its replicas")] = []
    cost: Annotated[Cost | None, Meta(description="What it cost so far, with all its pods")] = None
