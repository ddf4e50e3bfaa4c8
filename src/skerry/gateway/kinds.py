"""The gateway's kinds."""

from skerry.gateway.access import access_log
from skerry.gateway.hooks import DomainHooks, RouteHooks
from skerry.gateway.specs import DomainSpec, Opened, RouteSpec, RouteStatus
from skerry.kernel.kinds import Action, Column, Kind
from skerry.kernel.views import View
from skerry.series.views import METRICS

PROVIDER = "skerry.gateway"

ROUTE = Kind(
    provider=PROVIDER,
    collection="routes",
    noun="route",
    summary="A name, or a port, by which something that runs is reached",
    spec=RouteSpec,
    status=RouteStatus,
    immutable=("protocol", "tcpPort"),
    secrets=("key",),
    quota=1000,
    actions=(Action("open", "Make a link that lets you in, once, where login is asked", Opened),),
    views=(
        View(
            "access-log",
            "Who asked for what, newest last, as kept by the gateway",
            access_log,
            "application/x-ndjson",
            {"tail": "only so many of the last lines"},
        ),
        METRICS,
    ),
    meters=("gateway-request-million", "egress-gib"),
    hooks=RouteHooks(),
    columns=(
        Column("URL", "status.url"),
        Column("BACKENDS", "spec.backends", wide=True),
        Column("LOGIN", "spec.login"),
        Column("REQUESTS", "status.requests"),
        Column("LAST", "status.lastRequestAt"),
    ),
)

DOMAIN = Kind(
    provider=PROVIDER,
    collection="domains",
    noun="domain",
    summary="A domain whose names a tenant's routes may have",
    parent="tenant",
    spec=DomainSpec,
    hooks=DomainHooks(),
    regional=False,
    operator_only=True,
    columns=(Column("NOTE", "spec.note"),),
)

KINDS = (ROUTE, DOMAIN)
