"""Vouchers: codes that are worth money, once, until a day.

The operator makes one and hands its code over; only the code's hash is kept. A tenant redeems it by
putting a ``redemption``, and has the money in its funds in the same transaction. A code that can't
be redeemed makes a redemption that failed: the quota of redemptions bounds how often one may guess.

A voucher that was *sold* is the operator's debt until then (``vouchers``), and what nobody
redeemed in time is its own (``breakage``). A *gift* is worth nothing until it is redeemed; it
lowers invoices before tax.
"""

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Spec, Status
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import chart, holds, money, price_lists
from skerry.ledger.ids import named
from skerry.ledger.journal import post
from skerry.ledger.transfers import Transfer
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "vouchers.sql")

KIND = "ledger.voucher"
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_SIGNS, _GROUP = 16, 4
"""Of 32 letters each: 80 bits, which nobody guesses."""


class VoucherSpec(Spec, kw_only=True):
    amount: Annotated[
        str, Meta(pattern=r"^[0-9]{1,7}(\.[0-9]{1,9})?$", description="What it is worth")
    ]
    source: Annotated[Literal["sold", "gift"], Meta(description="Whether somebody paid for it")] = (
        "sold"
    )
    last_day: Annotated[
        str,
        Meta(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", description="On which it can be redeemed"),
    ]
    note: Annotated[str, Meta(max_length=500, description="Such as an occasion")] = ""


class VoucherStatus(Status, kw_only=True):
    phase: Annotated[str, Meta(description="open, redeemed or expired")] = ""
    code: Annotated[str, Meta(description="Shown once, when it is made")] = ""
    tenant: Annotated[str, Meta(description="Who redeemed it")] = ""
    ended_at: Annotated[str, Meta(description="When it was redeemed or expired")] = ""


class RedemptionSpec(Spec, kw_only=True):
    code: Annotated[str, Meta(min_length=1, max_length=40, description="As on the voucher")]


class RedemptionStatus(Status, kw_only=True):
    phase: Annotated[str, Meta(description="redeemed, or failed")] = ""
    message: Annotated[str, Meta(description="Why it failed")] = ""
    amount: Annotated[str, Meta(description="What it was worth")] = ""
    currency: Annotated[str, Meta(description="Of the amount, ISO 4217")] = ""


class VoucherHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        if old is not None:
            return Admitted()
        spec = new.typed(VoucherSpec)
        amount = money.parse(spec.amount)
        if amount == 0:
            raise ValidationError.at("/spec/amount", "a voucher of nothing")
        expires = _after(spec.last_day)
        if expires <= await tx.now():
            raise ValidationError.at("/spec/lastDay", f"{spec.last_day} is over")
        currency = (await price_lists.at(tx)).currency
        code = _mint()
        await tx.execute(_sql.add, new.name, _digest(code), amount, currency, spec.source, expires)
        if spec.source == "sold":
            await _move(tx, new.name, "sale", "cash", "vouchers", amount, currency, by.subject)
        await _record(tx, new.name, "make", "", by.subject)
        return Admitted(once={"code": code})

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows = await tx.fetch(_sql.shown, [one.name for one in page])
        known = {row["name"]: row for row in rows}
        return {one.uid: _told(known[one.name]) for one in page if one.name in known}


def _told(row: Row) -> dict[str, Any]:
    found = {"phase": row["state"]}
    if row["tenant"]:
        found["tenant"] = row["tenant"]
    if row["ended_at"]:
        found["endedAt"] = stamp(row["ended_at"])
    return found


class RedemptionHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        if old is not None:
            return Admitted()
        code = new.typed(RedemptionSpec).code
        try:
            amount, currency = await redeem(tx, new.tenant, code, actor=by.subject)
        except Conflict as refused:
            return Admitted(status={"phase": "failed", "message": refused.detail})
        return Admitted(
            status={"phase": "redeemed", "amount": money.text(amount), "currency": currency}
        )


async def redeem(tx: Tx, tenant: str, code: str, *, actor: str = "system") -> tuple[int, str]:
    """Move a voucher's worth to the tenant's funds; how much, in nano, and of what currency. Raises
    ``Conflict`` for a code that is none, was redeemed, or is over, in the same words for all."""
    terms = await holds.open_tenant(tx, tenant)
    row = await tx.fetchrow(_sql.of_code, _digest(code))
    now = await tx.now()
    if row is None or row["state"] != "open" or row["expires_at"] <= now:
        raise Conflict(
            "this is no code of a voucher that can be redeemed",
            hint="Look for a letter that was misread, or ask whoever gave it to you.",
        )
    name, amount, sold = row["name"], row["amount"], row["source"] == "sold"
    if row["currency"] != terms.currency:  # nothing is written yet
        raise Conflict(f"the voucher is in {row['currency']}, {tenant} pays in {terms.currency}")
    await tx.execute(_sql.redeem, name, tenant, now)
    account = "vouchers" if sold else "promo"
    await chart.ensure(tx, [(chart.OPERATOR, account, terms.currency, "")])
    await post(
        tx,
        [
            Transfer(
                id=named("redeem", name),
                debit=chart.account_id(chart.OPERATOR, account, terms.currency),
                credit=chart.funds(tenant, terms.currency),
                amount=amount,
                code="voucher" if sold else "gift",
                subject=f"vouchers/{name}",
            )
        ],
        actor=actor,
    )
    await _record(tx, name, "redeem", tenant, actor)
    return amount, terms.currency


async def expire(tx: Tx) -> list[str]:
    """End vouchers that nobody redeemed in time; their names."""
    found = await tx.fetch(_sql.expire, await tx.now())
    for row in found:
        name, amount = row["name"], row["amount"]
        if row["source"] == "sold":
            await _move(
                tx, name, "breakage", "vouchers", "breakage", amount, row["currency"], "system"
            )
        await _record(tx, name, "expire", "", "system")
    return [row["name"] for row in found]


async def _move(
    tx: Tx, name: str, code: str, debit: str, credit: str, amount: int, currency: str, actor: str
) -> None:
    await chart.ensure(tx, [(chart.OPERATOR, one, currency, "") for one in (debit, credit)])
    transfer = Transfer(
        id=named(f"voucher-{code}", name),
        debit=chart.account_id(chart.OPERATOR, debit, currency),
        credit=chart.account_id(chart.OPERATOR, credit, currency),
        amount=amount,
        code=f"voucher-{code}",
        subject=f"vouchers/{name}",
    )
    await post(tx, [transfer], actor=actor)


async def _record(tx: Tx, name: str, verb: str, tenant: str, actor: str) -> None:
    body = await _body(tx, name)
    assert body is not None
    await changes.record(
        tx, kind=KIND, subject=f"ledger/vouchers/{name}/{body['state']}", verb=verb, tenant=tenant,
        actor=actor, body=body,
    )  # fmt: skip


async def _body(tx: Tx, name: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.body, name)
    if row is None:
        return None
    return {
        "name": name,
        "amount": money.text(row["amount"]),
        "currency": row["currency"],
        "source": row["source"],
        "expiresAt": stamp(row["expires_at"]),
        "state": row["state"],
        "tenant": row["tenant"] or "",
    }


@changes.witness(KIND)
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    """As it was in the state that the subject names; later states keep all else."""
    name, _, state = subject.removeprefix("ledger/vouchers/").rpartition("/")
    body = await _body(tx, name)
    if body is None or (state != "open" and body["state"] != state):
        return None
    return body if state != "open" else body | {"state": "open", "tenant": ""}


def _mint() -> str:
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(_SIGNS))
    return "-".join(signs[at : at + _GROUP] for at in range(0, _SIGNS, _GROUP))


def _digest(code: str) -> bytes:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).digest()


def _after(day: str) -> datetime:
    try:
        last = date.fromisoformat(day)
    except ValueError:
        raise ValidationError.at("/spec/lastDay", f"{day!r} is no day") from None
    return datetime.combine(last + timedelta(days=1), time(), UTC)
