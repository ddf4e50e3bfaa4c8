"""The kinds of being told: notices, webhooks, and who gets mail about what.

Notices are written by Skerry. A tenant reads its own, has one sent again, and says who gets mail
about which topics; without a word from it, that is its administrators.
"""

from skerry.kernel.kinds import READ_ONLY, Action, Column, Kind
from skerry.kernel.views import View
from skerry.notices.hooks import NoticeHooks, PreferenceHooks, WebhookHooks
from skerry.notices.specs import (
    NoticeSpec,
    NoticeStatus,
    PreferenceSpec,
    WebhookSpec,
    WebhookStatus,
)
from skerry.notices.views import attempts_of_notice, attempts_of_webhook

PROVIDER = "skerry.notices"

NOTICE = Kind(
    provider=PROVIDER,
    collection="notices",
    noun="notice",
    summary="Something that was told, and how far it got",
    parent="tenant",
    spec=NoticeSpec,
    status=NoticeStatus,
    ops=READ_ONLY,
    hooks=NoticeHooks(),
    regional=False,
    actions=(Action("resend", "Send it again to all it did not reach"),),
    views=(View("attempts", "Every try to deliver it, and what came of it", attempts_of_notice),),
    columns=(
        Column("TOPIC", "spec.topic"),
        Column("SUBJECT", "spec.subject"),
        Column("PHASE", "status.phase"),
    ),
)

WEBHOOK = Kind(
    provider=PROVIDER,
    collection="webhooks",
    noun="webhook",
    summary="A URL to which notices are posted, signed",
    parent="tenant",
    spec=WebhookSpec,
    status=WebhookStatus,
    hooks=WebhookHooks(),
    quota=20,
    regional=False,
    actions=(
        Action("test", "Send it a notice of the topic webhook.test"),
        Action("rotate", "Make a new secret; the old one signs as well for a day"),
    ),
    views=(View("attempts", "The last 500 tries to reach it", attempts_of_webhook),),
    columns=(
        Column("ENDPOINT", "spec.endpoint"),
        Column("TOPICS", "spec.topics"),
        Column("PHASE", "status.phase"),
        Column("PROBLEM", "status.problem", wide=True),
    ),
)

PREFERENCE = Kind(
    provider=PROVIDER,
    collection="notice-preferences",
    noun="notice-preference",
    summary="Who gets mail about which topics",
    parent="tenant",
    spec=PreferenceSpec,
    hooks=PreferenceHooks(),
    quota=100,
    regional=False,
    columns=(
        Column("TOPICS", "spec.topics"),
        Column("EMAILS", "spec.emails"),
    ),
)

KINDS = [NOTICE, WEBHOOK, PREFERENCE]
