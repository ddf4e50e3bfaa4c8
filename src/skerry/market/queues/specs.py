"""What is said of queues, cohorts and priority classes."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.market.queues.quota import GPUS, Amounts, Line, Queue

Name = Annotated[str, Meta(max_length=128)]
Amount = Annotated[int, Meta(ge=0, le=1 << 53)]
PATIENCE = 600
NOTICE = 30


class Share(Spec, kw_only=True):
    """How much of one resource a queue has."""

    resource: Annotated[
        Literal["millicores", "memory", "gpus"],
        Meta(description="Thousandths of a core, bytes of memory, or GPUs"),
    ]
    model: Annotated[
        str, Meta(max_length=64, description="Of GPUs: only this model; all if left out")
    ] = ""
    nominal: Annotated[Amount, Meta(description="How much it may always use")]
    borrowing_limit: Annotated[
        Amount | None,
        Meta(description="How much more it may use of what its cohort leaves unused; no limit"),
    ] = None
    lending_limit: Annotated[
        Amount | None,
        Meta(description="How much of what it leaves unused its cohort may use; all of it"),
    ] = None

    @property
    def name(self) -> str:
        """Of the resource, as quotas are counted."""
        return f"{GPUS}:{self.model}" if self.model else self.resource


class QueueSpec(Spec, kw_only=True):
    """A tenant's share, and whom it lends to."""

    cohort: Annotated[
        Name, Meta(description="Queues of one cohort lend each other what they do not use")
    ] = ""
    workspaces: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(max_length=256, description="Workspaces that use it; by default all of the tenant"),
    ] = []
    quotas: Annotated[
        list[Share], Meta(max_length=32, description="Its shares; what is not named has no limit")
    ] = []
    weight: Annotated[
        int, Meta(ge=1, le=1000, description="How much it may borrow, beside others of its cohort")
    ] = 1
    patience: Annotated[
        int,
        Meta(ge=0, le=30 * 86400,
             description="Seconds until what is free is kept for one that is passed over"),
    ] = PATIENCE  # fmt: skip
    reclaim: Annotated[
        Literal["any", "lower-priority", "never"],
        Meta(description="From whom it takes its nominal share back: who borrows of it"),
    ] = "any"
    preempt: Annotated[
        Literal["lower-priority", "never"],
        Meta(description="Whether a higher priority ends a lower one of the same queue"),
    ] = "lower-priority"

    @property
    def lines(self) -> dict[str, Line]:
        return {
            s.name: Line(nominal=s.nominal, borrow=s.borrowing_limit, lend=s.lending_limit)
            for s in self.quotas
        }

    def queue(self, key: str) -> Queue:
        """As it is counted."""
        return Queue(
            key=key,
            cohort=self.cohort,
            lines=self.lines,
            weight=self.weight,
            patience=self.patience,
            reclaim=self.reclaim,
            preempt=self.preempt,
        )


class UseStatus(Status, kw_only=True):
    """One resource of a queue now."""

    resource: Annotated[str, Meta(description="Its name; a GPU model follows a colon")]
    nominal: Annotated[int, Meta(description="What the queue may always use")]
    used: Annotated[int, Meta(description="What is admitted")]
    borrowed: Annotated[int, Meta(description="How much of that is beyond the nominal amount")] = 0
    borrowable: Annotated[int, Meta(description="How much more could be borrowed now")] = 0


class QueueStatus(Status, kw_only=True):
    """What of it is used now. Computed when it is read."""

    use: Annotated[list[UseStatus], Meta(description="Its shares")] = []
    words: Annotated[str, Meta(description="The same in words")] = ""
    admitted: Annotated[int, Meta(description="How many are admitted")] = 0
    waiting: Annotated[int, Meta(description="How many wait")] = 0


class CohortSpec(Spec, kw_only=True):
    """Queues that lend to each other, and what belongs to them together."""

    quotas: Annotated[
        list[Share],
        Meta(max_length=32, description="What any of its queues may borrow, beside their own"),
    ] = []

    @property
    def shared(self) -> Amounts:
        return {share.name: share.nominal for share in self.quotas}


class CohortStatus(Status, kw_only=True):
    """What its queues use now. Computed when it is read."""

    queues: Annotated[list[str], Meta(description="Its queues, as TENANT/NAME")] = []
    use: Annotated[list[UseStatus], Meta(description="All of them together")] = []


class PriorityClassSpec(Spec, kw_only=True):
    """How urgent something is."""

    value: Annotated[
        int, Meta(ge=-1_000_000, le=1_000_000, description="The higher, the sooner; none is 0")
    ] = 0
    preempts: Annotated[
        bool, Meta(description="Whether others may be ended to make room for it")
    ] = True
    notice: Annotated[
        int,
        Meta(ge=0, le=86400,
             description="Seconds it is given to end when it must give way; longer than its grace"),
    ] = NOTICE  # fmt: skip
    tenants: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(max_length=1024, description="Who may use it; everybody if left out"),
    ] = []


class Waits(Status, kw_only=True):
    """Where one that waits stands in its queue. Computed when it is read."""

    queue: Annotated[str, Meta(description="The queue")]
    position: Annotated[int, Meta(description="How many of its queue come before it, and itself")]
    waiting: Annotated[int, Meta(description="How many wait there")] = 0
    reason: Annotated[str, Meta(description="What it waits for")] = ""
    starts_at: Annotated[
        datetime | None, Meta(description="When it may start at the earliest; unknown if left out")
    ] = None
    basis: Annotated[str, Meta(description="What this estimate follows from")] = ""
