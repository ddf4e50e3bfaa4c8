"""What follows when something does not arrive: alerts that say what to do, and webhooks that are
disabled when they have failed for days."""

from datetime import datetime

from skerry.kernel import alerts
from skerry.kernel.errors import NotFound
from skerry.kernel.history import stamp
from skerry.kernel.resources import Resource, Resources
from skerry.notices.outbox import post
from skerry.notices.outcome import Outcome
from skerry.notices.progress import progress
from skerry.notices.settings import GIVE_UP
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.notices")
MAIL = "the mail server"


async def mail_server_away(tx: Tx, why: str) -> None:
    await alerts.raise_alert(
        tx,
        subject=MAIL,
        reason="MailServerAway",
        message=f"Mails wait, the oldest for a quarter of an hour: {why}.",
        remedy="Look at the mail server and at what --smtp and its companions say. The mails leave "
        f"by themselves when it answers; after {GIVE_UP.days} days they are given up.",
    )


async def mail_server_back(tx: Tx) -> None:
    await alerts.clear(tx, MAIL, "MailServerAway")


async def judge(
    tx: Tx, resources: Resources, row: Row, outcome: Outcome, notice: Resource, over: bool
) -> None:
    """After a try was written down. ``over``: it was the last one. The notice is locked."""
    if row["channel"] == "webhook":
        await _judge_webhook(tx, resources, row, outcome)
    if outcome.ok:
        await alerts.clear(tx, notice.ref, _reason(row))
    elif over:
        await alerts.raise_alert(
            tx,
            subject=notice.ref,
            tenant=notice.tenant,
            reason=_reason(row),
            message=f"{notice.spec['subject']!r} did not reach {row['target']}: {outcome.said}",
            remedy="Mend what is named here, then send it again: "
            f"skerry notice resend {notice.name} --tenant {notice.tenant}",
            quiet=True,
        )


def _reason(row: Row) -> str:
    return "MailGivenUp" if row["channel"] == "mail" else "WebhookGivenUp"


async def _judge_webhook(tx: Tx, resources: Resources, row: Row, outcome: Outcome) -> None:
    try:
        hook = await resources.by_uid(tx, row["webhook"], lock=True)
    except NotFound:
        return
    if hook.deleted_at is not None or hook.status.get("phase") == "disabled":
        return
    if outcome.ok:
        good = {"phase": "active", "failingSince": None, "problem": None}
        await resources.set_status(tx, hook.uid, status=good)
        return
    now = await tx.now()
    since = str(hook.status.get("failingSince") or stamp(now))
    status = {"phase": "failing", "failingSince": since, "problem": outcome.said}
    if not outcome.unwanted and now - datetime.fromisoformat(since) < GIVE_UP:
        await resources.set_status(tx, hook.uid, status=status)
        return
    await resources.set_status(tx, hook.uid, status={**status, "phase": "disabled"})
    why = "the webhook was disabled"
    for waiting in await tx.fetch(_sql.give_up_on, hook.uid, why):
        await progress(tx, resources, waiting["notice"])
    await post(
        tx,
        topic="webhook.disabled",
        tenant=hook.tenant,
        subject=f"The webhook {hook.name} was disabled",
        text=f"Nothing has reached it since {since[:16].replace('T', ' ')} UTC: {outcome.said}.\n\n"
        f"Mend it, then enable it again: skerry webhook update {hook.name} --enabled true\n\n"
        "What it missed is listed: skerry notice list",
        facts={"webhook": hook.name, "problem": outcome.said},
    )
