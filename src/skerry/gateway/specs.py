"""What can be asked of the gateway: routes, and the domains that tenants may use."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from skerry.kernel.kinds import Spec, Status


class Fixed(
    Struct,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
    kw_only=True,
    frozen=True,
):
    """Part of a spec that can be compared and kept in sets."""


HOST = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$"
GIB = 1 << 30


class BackendSpec(Fixed, frozen=True, kw_only=True):
    """A port of a task that answers."""

    at: Annotated[str, Meta(min_length=1, max_length=129, description="The site, or site/host")]
    workload: Annotated[
        str, Meta(min_length=1, max_length=128, description="The workload's id at the site")
    ]
    rank: Annotated[int, Meta(ge=0, le=65535, description="Which of its tasks")] = 0
    port: Annotated[int, Meta(ge=1, le=65535, description="The port it listens on")]


class LimitsSpec(Fixed, frozen=True, kw_only=True):
    """What one route may take."""

    body: Annotated[int, Meta(ge=0, le=1 << 40, description="Most bytes of one request's body")] = (
        GIB
    )
    concurrent: Annotated[
        int, Meta(ge=1, le=100_000, description="Most requests at a time, waiting ones included")
    ] = 1000
    timeout: Annotated[
        int, Meta(ge=1, le=86_400, description="Seconds until an answer must begin")
    ] = 300


class RouteSpec(Spec):
    hosts: Annotated[
        list[Annotated[str, Meta(max_length=253, pattern=HOST)]],
        Meta(
            max_length=32,
            description="Names of your own, below a domain granted to the tenant, beside the "
            "automatic one",
        ),
    ] = []
    protocol: Annotated[
        Literal["http", "tcp"],
        Meta(description="http: by host name; tcp: any bytes, by a port of the gateway"),
    ] = "http"
    tcp_port: Annotated[
        int,
        Meta(ge=0, le=65535, description="The port wanted for tcp; 0: one that is free"),
    ] = 0
    backends: Annotated[
        list[BackendSpec], Meta(max_length=1000, description="What answers, in turn")
    ] = []
    login: Annotated[
        bool,
        Meta(description="Let in only those who may open the route or change what owns it"),
    ] = False
    idle: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86_400,
            description="Seconds without a request after which its owner is told; 0: never",
        ),
    ] = 0
    wake: Annotated[
        Literal["request", "page"],
        Meta(
            description="What tells its owner to wake where nothing answers: any request, or only "
            "a page that somebody opens"
        ),
    ] = "request"
    key: Annotated[
        Annotated[str, Meta(max_length=256, pattern="^[!-~]*$")] | None,
        Meta(
            description="With login: what its backends are shown as X-Skerry-Key, so that they can "
            "tell the gateway from others; leaving it out keeps the one that is there"
        ),
    ] = None
    limits: Annotated[LimitsSpec, Meta(description="What it may take")] = LimitsSpec()


class CertificateStatus(Status):
    """How a host name is vouched for."""

    host: Annotated[str, Meta(description="The name")]
    source: Annotated[str, Meta(description="file, authority or acme")]
    state: Annotated[str, Meta(description="valid, waiting, failing or expired")]
    not_after: Annotated[datetime | None, Meta(description="When it ends")] = None
    problem: Annotated[str, Meta(description="Why the last try failed")] = ""


class RouteStatus(Status):
    url: Annotated[str, Meta(description="Where it is reached")] = ""
    hosts: Annotated[list[str], Meta(description="All its names, the automatic one first")] = []
    tcp_port: Annotated[int, Meta(description="Its port on the gateway, for tcp")] = 0
    certificates: Annotated[
        list[CertificateStatus], Meta(description="How its names are vouched for, with TLS")
    ] = []
    last_request_at: Annotated[
        datetime | None, Meta(description="When it was last asked, to a few seconds")
    ] = None
    requests: Annotated[
        int, Meta(ge=0, description="Requests of the last 24 hours, as far as they are counted")
    ] = 0


class Opened(Spec):
    """The body of ``open``."""

    path: Annotated[
        str,
        Meta(max_length=2048, pattern="^/", description="Where to go there"),
    ] = "/"


class DomainSpec(Spec):
    note: Annotated[str, Meta(max_length=256, description="Why, for people")] = ""
