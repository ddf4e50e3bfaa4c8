"""What can be asked of notices, and what is shown of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.notices.outbox import LONGEST_SUBJECT, LONGEST_TEXT, MOST_ADDRESSES

Pattern = Annotated[
    str, Meta(max_length=128, pattern=r"^(\*|[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*(\.\*)?)$")
]
Topics = Annotated[
    list[Pattern],
    Meta(
        max_length=64,
        description="Topics such as invoice.issued, all below one (invoice.*); all if none",
    ),
]


class NoticeSpec(Spec):
    topic: Annotated[str, Meta(max_length=128, description="What it is about: invoice.issued")]
    subject: Annotated[str, Meta(max_length=LONGEST_SUBJECT, description="In one line")]
    text: Annotated[str, Meta(max_length=LONGEST_TEXT, description="In full")] = ""
    facts: Annotated[dict[str, Any], Meta(description="The same for programs")] = {}


class Delivery(Status):
    """How far a notice is on its way to one address or webhook."""

    channel: Annotated[Literal["mail", "webhook"], Meta(description="How it travels")]
    target: Annotated[str, Meta(description="The address, or the webhook's name")]
    phase: Annotated[
        Literal["waiting", "sent", "failed", "folded", "listed"],
        Meta(
            description="folded: a digest will tell of it; listed: this cloud sends no mail, so "
            "it only stands here"
        ),
    ]
    tries: Annotated[int, Meta(ge=0, description="How often it was tried")] = 0
    problem: Annotated[str, Meta(description="What went wrong the last time")] = ""


class NoticeStatus(Status):
    phase: Annotated[
        Literal["sending", "sent", "failed", "listed"],
        Meta(description="failed: at least one delivery was given up"),
    ] = "listed"
    deliveries: Annotated[list[Delivery], Meta(description="Whom it goes to")] = []


class WebhookSpec(Spec):
    endpoint: Annotated[
        str,
        Meta(
            min_length=8,
            max_length=2048,
            description="Where notices are posted. HTTPS, at a public address, unless the operator "
            "allows more",
        ),
    ]
    topics: Topics = []
    enabled: Annotated[bool, Meta(description="Whether anything is sent to it")] = True


class WebhookStatus(Status):
    phase: Annotated[
        Literal["active", "failing", "disabled"],
        Meta(description="disabled: it failed for days; a new put enables it again"),
    ] = "active"
    failing_since: Annotated[datetime | None, Meta(description="Since when nothing arrives")] = None
    problem: Annotated[str, Meta(description="What went wrong the last time")] = ""
    last_delivery_at: Annotated[
        datetime | None, Meta(description="When something arrived the last time")
    ] = None


class PreferenceSpec(Spec):
    topics: Topics = []
    emails: Annotated[
        list[Annotated[str, Meta(max_length=254)]],
        Meta(
            max_length=MOST_ADDRESSES,
            description="Who gets mail of these topics; nobody, if empty",
        ),
    ] = []


def wants(patterns: list[str], topic: str) -> bool:
    """Whether one of the patterns means the topic. No patterns mean all."""
    return not patterns or any(
        pattern in ("*", topic) or (pattern.endswith(".*") and topic.startswith(pattern[:-1]))
        for pattern in patterns
    )
