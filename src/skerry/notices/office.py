"""The office: what the elected node does for all, so that what was posted arrives.

Each second one question tells what there is to do. Deliveries are rows that are claimed with a
lease and a fence. No transaction is open while a mail server or a webhook is spoken to; what came
of it is written down only if the claim still stands, so a node that was thought dead and comes back
changes nothing. Killed between the sending and the writing, the next node sends again: deliveries
carry ids by which receivers know a double.
"""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import structlog
from aiosmtplib import SMTP

from skerry.kernel.errors import ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.resources import Resource, Resources
from skerry.notices import failing, mailing, reaching
from skerry.notices.composing import Letter, Sender, compose
from skerry.notices.hooks import keys_of
from skerry.notices.mailing import Away
from skerry.notices.outbox import about_once
from skerry.notices.outcome import Outcome, pause
from skerry.notices.progress import progress
from skerry.notices.settings import FOLDED, GIVE_UP, MailSettings, NoticeSettings
from skerry.notices.signing import signed
from skerry.notices.sorting import digest, sort
from skerry.notices.specs import NoticeSpec, WebhookSpec
from skerry.notices.sweeping import sweep
from skerry.notices.telling import APART, tell_alerts
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.notices")
_log = structlog.get_logger("notices")

LOOK = 1.0
SWEEP = 3600.0
"""Seconds between two looks for what is old enough to be forgotten."""
LEASE = timedelta(minutes=3)
"""Longer than any one delivery takes."""
AT_ONCE = 8
"""Webhooks that are spoken to at the same time."""
OF_ONE_TENANT = 3
"""So that one tenant's, which may all hang, never take every place."""
IN_A_ROW = 100
"""Deliveries to one webhook before others have a turn."""
LONGEST_AWAY = 300.0
"""Seconds between two looks for a mail server that is away."""
ALERT_AFTER = timedelta(minutes=15)


class _Call(NamedTuple):
    tenant: str
    task: asyncio.Task[None]


class Office:
    """Runs until cancelled, on the elected node. ``url`` says where this cloud answers."""

    def __init__(
        self,
        db: Database,
        resources: Resources,
        settings: NoticeSettings,
        *,
        operator: str = "Skerry",
        url: Callable[[], str] = lambda: "",
    ) -> None:
        self._db = db
        self._resources = resources
        self._settings = settings
        self._operator = operator
        self._url = url
        self._opened = False
        self._mails: asyncio.Task[None] | None = None
        self._calls: dict[uuid.UUID, _Call] = {}
        self._away_until = 0.0
        self._away_for = 0
        self._swept = -SWEEP

    async def run(self) -> None:
        """Look each second. A lost database is waited for."""
        self._opened = False
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    await self.look(group)
                except DATABASE_ERRORS as error:
                    _log.warning("database away", error=str(error))
                except Exception:  # noqa: BLE001 - a cloud goes on that can't tell of it
                    _log.exception("notices wait")
                await asyncio.sleep(LOOK)

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Do what is due: sort at once, deliver in tasks of ``group``."""
        if not self._opened:
            await self._db.execute(_sql.set_mail, self._settings.mail is not None)
            self._opened = True
        due = await self._db.fetchrow(_sql.to_do, FOLDED, APART)
        assert due is not None
        if due["alerts"]:
            await tell_alerts(self._db)
        if due["folded"]:
            await digest(self._db, self._resources)
        posted = due["posted"] or due["folded"] or due["alerts"]
        if posted:
            await sort(self._db, self._resources, self._settings)
        mails_go = self._mails is None or self._mails.done()
        if (posted or due["mails"]) and mails_go and self._settings.mail is not None \
                and time.monotonic() >= self._away_until:  # fmt: skip
            self._mails = group.create_task(_alone(self.mail(self._settings.mail)))
        if posted or due["webhooks"]:
            await self._call(group)
        if time.monotonic() >= self._swept + SWEEP:
            self._swept = time.monotonic()
            if await sweep(self._db, self._resources):
                self._swept -= SWEEP

    # Mail

    async def mail(self, settings: MailSettings) -> None:
        """Send all mail that is due, over one connection."""
        row = await self._db.fetchrow(_sql.claim_mail, LEASE)
        if row is None:
            return
        try:
            async with mailing.connected(settings) as server:
                await self._back()
                while row is not None and await self._mailed(server, settings, row):
                    row = await self._db.fetchrow(_sql.claim_mail, LEASE)
        except Away as away:
            await self._spare(row, str(away))

    async def _mailed(self, server: SMTP, settings: MailSettings, row: Row) -> bool:
        """Send one; whether the connection bears another."""
        began, whole = time.monotonic(), True
        try:
            outcome = await self._mail_one(server, settings, row)
        except Away as away:
            whole, outcome = False, Outcome(ok=False, said=str(away))
        except DATABASE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - one odd notice must not stop all others
            outcome = _odd(row, error)
        await self._settle(row, outcome, began)
        return whole

    async def _mail_one(self, server: SMTP, settings: MailSettings, row: Row) -> Outcome:
        notice, once = await self._read(row)
        spec = notice.typed(NoticeSpec)
        letter = Letter(
            id=str(row["id"]), at=notice.created_at, to=row["target"], topic=spec.topic,
            subject=spec.subject, text=spec.text, once=once,
        )  # fmt: skip
        sender = Sender(address=settings.sender, operator=self._operator, url=self._url())
        try:
            mail = compose(letter, sender)
        except ValidationError as problem:
            return Outcome(ok=False, said=problem.detail, final=True)
        return await mailing.send(server, settings, row["target"], mail)

    async def _read(self, row: Row) -> tuple[Resource, str]:
        """The notice, and the link that goes with it."""
        async with self._db.transaction() as tx:
            notice = await self._resources.by_uid(tx, row["notice"])
            if row["once"] is None:
                return notice, ""
            about = about_once(row["id"])
            link = await self._resources.sealer.unwrap(tx, row["tenant"], about, row["once"])
            return notice, link.decode()

    async def _back(self) -> None:
        """The mail server answers."""
        self._away_for, self._away_until = 0, 0.0
        async with self._db.transaction() as tx:
            await failing.mail_server_back(tx)

    async def _spare(self, row: Row, why: str) -> None:
        """Nobody could be asked: the mail waits, and is given up only when it is too old."""
        _log.warning("mail waits", why=why)
        self._away_for += 1
        away = min(2.0**self._away_for, LONGEST_AWAY) * random.uniform(0.75, 1.25)  # noqa: S311
        self._away_until = time.monotonic() + away
        if row["now"] - row["began_at"] >= GIVE_UP:
            await self._settle(row, Outcome(ok=False, said=why, final=True), time.monotonic())
            return
        async with self._db.transaction() as tx:
            await self._resources.by_uid(tx, row["notice"], lock=True)
            await tx.execute(_sql.renew, row["id"], row["fence"], timedelta(seconds=1), why)
            await progress(tx, self._resources, row["notice"])
            if row["now"] - row["began_at"] >= ALERT_AFTER:
                await failing.mail_server_away(tx, why)

    # Webhooks

    async def _call(self, group: asyncio.TaskGroup) -> None:
        self._calls = {uid: call for uid, call in self._calls.items() if not call.task.done()}
        while len(self._calls) < AT_ONCE:
            tenants = Counter(call.tenant for call in self._calls.values())
            busy = [tenant for tenant, many in tenants.items() if many >= OF_ONE_TENANT]
            row = await self._db.fetchrow(_sql.claim_webhook, LEASE, list(self._calls), busy)
            if row is None:
                return
            task = group.create_task(_alone(self.webhook(row)))
            self._calls[row["webhook"]] = _Call(row["tenant"], task)

    async def webhook(self, row: Row | None) -> None:
        """Deliver to one webhook what is due for it, until it fails or others should have a
        turn."""
        for _ in range(IN_A_ROW):
            if row is None:
                return
            began = time.monotonic()
            try:
                outcome = await self._webhook_one(row)
            except DATABASE_ERRORS:
                raise
            except Exception as error:  # noqa: BLE001 - one odd notice must not stop all others
                outcome = _odd(row, error)
            await self._settle(row, outcome, began)
            if not outcome.ok:
                return
            row = await self._db.fetchrow(_sql.claim_next, LEASE, row["webhook"])

    async def _webhook_one(self, row: Row) -> Outcome:
        async with self._db.transaction() as tx:
            notice = await self._resources.by_uid(tx, row["notice"])
            hook = await self._resources.by_uid(tx, row["webhook"])
            if hook.deleted_at is not None:
                return Outcome(ok=False, said="the webhook was deleted", final=True)
            keys = await keys_of(tx, self._resources, hook)
        body = _body(notice)
        headers = signed(keys, f"msg_{notice.uid.hex}", int(row["now"].timestamp()), body)
        url = hook.typed(WebhookSpec).endpoint
        return await reaching.deliver(url, headers, body, self._settings)

    # Both

    async def _settle(self, row: Row, outcome: Outcome, began: float) -> None:
        """Write down what came of a try, unless the claim is no longer ours."""
        took = int((time.monotonic() - began) * 1000)
        too_old = row["now"] - row["began_at"] >= GIVE_UP
        over = outcome.ok or outcome.final or too_old
        phase = "sent" if outcome.ok else "failed" if over else "waiting"
        async with self._db.transaction() as tx:
            # The notice is locked first, by everybody, so that nobody waits in a circle.
            notice = await self._resources.by_uid(tx, row["notice"], lock=True)
            wait = timedelta() if over else pause(row["tries"])
            error = "" if outcome.ok else outcome.said
            held = await tx.fetchval(_sql.settle, row["id"], row["fence"], phase, wait, error)
            if held is None:
                _log.info("claim lost, another goes on", delivery=str(row["id"]))
                return
            await tx.execute(
                _sql.add_attempt, row["id"], took, outcome.ok, outcome.code, outcome.said
            )
            await progress(tx, self._resources, row["notice"])
            await failing.judge(tx, self._resources, row, outcome, notice, over)


def _body(notice: Resource) -> bytes:
    """What a webhook is sent: the same bytes at each try."""
    spec = notice.typed(NoticeSpec)
    at: datetime = notice.created_at
    return msgspec.json.encode(
        {
            "type": spec.topic,
            "timestamp": stamp(at),
            "data": {
                "notice": notice.name,
                "tenant": notice.tenant,
                "subject": spec.subject,
                "text": spec.text,
                "facts": spec.facts,
            },
        }
    )


def _odd(row: Row, error: Exception) -> Outcome:
    _log.error("delivery failed", delivery=str(row["id"]), exc_info=error)
    return Outcome(ok=False, said=f"Skerry itself failed: {type(error).__name__}: {error}"[:500])


async def _alone(work: Coroutine[Any, Any, None]) -> None:
    """What is interrupted, by a lost database above all, is done again when its lease is over."""
    try:
        await work
    except DATABASE_ERRORS as error:
        _log.warning("delivery interrupted", error=str(error))
    except Exception:  # noqa: BLE001 - nor may it end what delivers all others
        _log.exception("delivery interrupted")
