"""Queues, cohorts and priority classes: written by the operator. A tenant sees its own queues."""

from skerry.kernel.kinds import Column, Kind
from skerry.market.queues import specs
from skerry.market.queues.hooks import CohortHooks, QueueHooks

PROVIDER = "skerry.market"

KINDS = (
    Kind(
        provider=PROVIDER,
        collection="queues",
        noun="queue",
        summary="How much a tenant may use at once, and what it may borrow",
        parent="tenant",
        spec=specs.QueueSpec,
        status=specs.QueueStatus,
        hooks=QueueHooks(),
        quota=100,
        regional=False,
        operator_only=True,
        columns=(
            Column("COHORT", "spec.cohort"),
            Column("USED", "status.words"),
            Column("ADMITTED", "status.admitted"),
            Column("WAITING", "status.waiting"),
            Column("WORKSPACES", "spec.workspaces", wide=True),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="cohorts",
        noun="cohort",
        summary="Queues that lend each other what they do not use",
        parent="global",
        spec=specs.CohortSpec,
        status=specs.CohortStatus,
        hooks=CohortHooks(),
        regional=False,
        operator_only=True,
        columns=(Column("QUEUES", "status.queues"),),
    ),
    Kind(
        provider=PROVIDER,
        collection="priority-classes",
        noun="priority-class",
        summary="How urgent something is, and how it gives way",
        parent="global",
        spec=specs.PriorityClassSpec,
        regional=False,
        public=True,
        operator_only=True,
        columns=(
            Column("VALUE", "spec.value"),
            Column("PREEMPTS", "spec.preempts"),
            Column("NOTICE", "spec.notice"),
            Column("TENANTS", "spec.tenants", wide=True),
        ),
    ),
)
