"""The market's kinds: policies, offers, quotes, leases.

There is one sort of policy. It belongs to a tenant and binds all of its workspaces or those it
names, so whoever may write policies of the tenant decides, and a workspace can't loosen them.

Decisions are read where they were taken: a quote, a lease and whatever else was placed or refused
have the view ``decision``.
"""

from typing import Annotated

from msgspec import Meta

from skerry.kernel.kinds import READ_ONLY, Action, Column, Kind, Status
from skerry.kernel.views import View
from skerry.market import specs
from skerry.market.hooks import LeaseHooks, OfferHooks, PolicyHooks, QuoteHooks
from skerry.market.policies import TenantPolicySpec
from skerry.market.queues.kinds import KINDS as QUEUES
from skerry.market.views import decision

PROVIDER = "skerry.market"
DECISION = View("decision", "Why it was placed there, or nowhere", decision)


class PolicyStatus(Status, kw_only=True):
    words: Annotated[str, Meta(description="What it allows, in words")] = ""


KINDS = (
    *QUEUES,
    Kind(
        provider=PROVIDER,
        collection="policies",
        noun="policy",
        summary="Where a tenant's work may run, and who may run it",
        parent="tenant",
        spec=TenantPolicySpec,
        status=PolicyStatus,
        hooks=PolicyHooks(),
        quota=100,
        regional=False,
        columns=(Column("ALLOWS", "status.words"), Column("WORKSPACES", "spec.workspaces")),
    ),
    Kind(
        provider=PROVIDER,
        collection="offers",
        noun="offer",
        summary="Capacity on sale at one place",
        parent="global",
        spec=specs.OfferSpec,
        status=specs.OfferStatus,
        hooks=OfferHooks(),
        regional=False,
        public=True,
        operator_only=True,
        columns=(
            Column("OPERATOR", "spec.operator"),
            Column("REGION", "spec.region"),
            Column("JURISDICTION", "spec.jurisdiction"),
            Column("SITE", "spec.site", wide=True),
            Column("FREE", "status.free", wide=True),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="quotes",
        noun="quote",
        summary="What something would cost, where it would run, and why not elsewhere",
        spec=specs.QuoteSpec,
        status=specs.QuoteStatus,
        hooks=QuoteHooks(),
        quota=1000,
        actions=(
            Action(
                "accept",
                "Create what was quoted, at the quoted price",
                specs.Accept,
                secrets=("secrets",),
            ),
        ),
        views=(DECISION,),
        columns=(
            Column("KIND", "spec.kind"),
            Column("PHASE", "status.phase"),
            Column("PRICE/H", "status.pricePerHourNano"),
            Column("SITE", "status.place.site"),
            Column("UNTIL", "status.validUntil"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="leases",
        noun="lease",
        summary="Capacity taken, on frozen terms",
        spec=specs.LeaseSpec,
        status=specs.LeaseStatus,
        hooks=LeaseHooks(),
        ops=READ_ONLY,
        views=(DECISION,),
        columns=(
            Column("FOR", "spec.subject"),
            Column("PHASE", "status.phase"),
            Column("SITE", "spec.place.site"),
            Column("PRICE/H", "spec.pricePerHourNano"),
            Column("STARTED", "status.startedAt"),
        ),
    ),
)
