"""Sorting: what was posted becomes a notice, with a delivery for each who is to get it.

Each is one transaction that takes the row from the outbox, writes the resource and its deliveries;
done twice, the second finds no row. Mails that a tenant's preferences bring, not those to addresses
that the cause itself names, are counted: beyond ``hourly`` they wait and are told in one.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from skerry.kernel.errors import Problem
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import OPERATOR_TENANT, Path
from skerry.kernel.resources import Resources
from skerry.kernel.rows import from_row
from skerry.notices.outbox import about_once, is_address, post
from skerry.notices.progress import progress
from skerry.notices.settings import FOLDED, NoticeSettings
from skerry.notices.specs import WebhookSpec, wants
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.notices")
_log = structlog.get_logger("notices")
DIGEST = "notices.digest"
POSTPONED = timedelta(minutes=5)
"""For how long one waits that fails in a way that nobody has thought of."""


async def sort(db: Database, resources: Resources, settings: NoticeSettings) -> int:
    """Sort what was posted, the oldest first; says how many."""
    rows = await db.fetch(_sql.posted)
    for row in rows:
        try:
            async with db.transaction() as tx:
                taken = await tx.fetchrow(_sql.take_posted, row["id"])
                if taken is not None:
                    await _sorted(tx, resources, settings, taken)
        except Problem as problem:
            # Its tenant went away meanwhile, or the like: nobody is left to be told.
            _log.warning("notice dropped", id=str(row["id"]), problem=problem.detail)
            await db.execute(_sql.take_posted, row["id"])
        except DATABASE_ERRORS:
            raise
        except Exception:  # noqa: BLE001 - one odd notice must not stop all others
            _log.exception("notice not sorted", id=str(row["id"]))
            await db.execute(_sql.postpone, row["id"], POSTPONED)
    return len(rows)


async def _sorted(tx: Tx, resources: Resources, settings: NoticeSettings, row: Row) -> None:
    tenant, topic = row["tenant"], row["topic"]
    if not await tx.fetchval(_sql.tenant_there, tenant):
        _log.info("notice dropped: its tenant is gone", topic=topic, tenant=tenant)
        return
    name = f"{topic.replace('.', '-')[:48]}-{row['id'].hex[:12]}"
    spec = {key: row[key] for key in ("topic", "subject", "text", "facts")}
    kind = resources.registry["notice"]
    put = await resources.put(tx, kind, Path(tenant=tenant, name=name), {"spec": spec}, SYSTEM)
    notice = put.resource.uid
    if row["webhook"] is None:
        addresses = row["addresses"] or await recipients(tx, settings, tenant, topic)
        phase = await _phase_of_mail(tx, settings, row)
        for address in addresses:
            # What mail can't go to is said by its own delivery, which fails.
            own = "waiting" if phase == "folded" and not is_address(address) else phase
            await _mail(tx, resources, row, notice, address, own)
    for webhook in await tx.fetch(_sql.webhooks, tenant):
        hook = from_row(webhook)
        wanted = row["webhook"] == hook.uid or (
            row["webhook"] is None and wants(hook.typed(WebhookSpec).topics, topic)
        )
        if wanted:
            await tx.execute(
                _sql.add_delivery, uuid.uuid4(), notice, tenant, "webhook", hook.name, hook.uid,
                "waiting", None,
            )  # fmt: skip
    await progress(tx, resources, notice)


async def _phase_of_mail(tx: Tx, settings: NoticeSettings, row: Row) -> str:
    if settings.mail is None:
        return "listed"
    if row["addresses"] or row["once"] is not None:
        return "waiting"
    many = await tx.fetchval(_sql.mails_lately, row["tenant"], FOLDED)
    return "folded" if many >= settings.hourly else "waiting"


async def _mail(
    tx: Tx, resources: Resources, row: Row, notice: uuid.UUID, address: str, phase: str
) -> None:
    id, once = uuid.uuid4(), None
    if row["once"] is not None:
        sealer, tenant = resources.sealer, row["tenant"]
        link = await sealer.unwrap(tx, tenant, about_once(row["id"]), row["once"])
        once = await sealer.wrap(tx, tenant, about_once(id), link)
    await tx.execute(
        _sql.add_delivery, id, notice, row["tenant"], "mail", address, None, phase, once
    )


async def recipients(tx: Tx, settings: NoticeSettings, tenant: str, topic: str) -> Sequence[str]:
    """Whom a tenant wants to get mail of a topic: what its preferences say of it, else its
    administrators, and for the operator's own tenant the operator's address."""
    found: list[Any] = [row["spec"] for row in await tx.fetch(_sql.preferences, tenant)]
    wanted = [spec for spec in found if wants(spec.get("topics", []), topic)]
    if wanted:
        return list(dict.fromkeys(one for spec in wanted for one in spec.get("emails", ())))
    addresses = [row["email"] for row in await tx.fetch(_sql.administrators, tenant)]
    if tenant == OPERATOR_TENANT and settings.operator_email:
        addresses.append(settings.operator_email)
    return list(dict.fromkeys(addresses))


async def digest(db: Database, resources: Resources) -> int:
    """Tell together what was folded for long enough; says how many digests."""
    rows = await db.fetch(_sql.folded, FOLDED)
    for row in rows:
        async with db.transaction() as tx:
            taken = await tx.fetch(_sql.take_folded, row["tenant"], row["target"])
            notices = [one["notice"] for one in taken]
            if not notices:
                continue
            for notice in sorted(notices):
                await progress(tx, resources, notice)
            subjects = await tx.fetch(_sql.subjects, notices)
            lines = [f"{one['created_at']:%H:%M} UTC  {one['subject']}" for one in subjects]
            if len(notices) > len(subjects):
                lines.append(f"and {len(notices) - len(subjects)} more")
            await post(
                tx,
                topic=DIGEST,
                tenant=row["tenant"],
                to=(row["target"],),
                subject=f"{len(notices)} notices of the last hour",
                text="So much happened that it is told in one mail.\n\n"
                + "\n".join(lines)
                + "\n\nIn full: skerry notice list",
                facts={"notices": len(notices)},
            )
    return len(rows)
