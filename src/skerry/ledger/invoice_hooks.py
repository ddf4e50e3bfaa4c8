"""What is done to invoices, and to the records that they are made of, inside a request."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from skerry.kernel.errors import Conflict, NotFound, ValidationError
from skerry.kernel.hooks import SYSTEM, Admitted, Caller, Hooks
from skerry.kernel.kinds import Spec
from skerry.kernel.paths import OPERATOR_TENANT, Path
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import agreements, holds, invoices, issuing, money, parties
from skerry.ledger.agreements import AgreementSpec
from skerry.ledger.issued import Issued, decode
from skerry.ledger.parties import SellerSpec
from skerry.ledger.specs import CreditNoteSpec, InvoiceSpec, IssueSpec, PaymentSpec
from skerry.ledger.standing import Standing
from skerry.store import Tx

B = TypeVar("B", bound=Spec)


def _convert(body: Any, type: type[B]) -> B:
    return body if isinstance(body, type) else msgspec.convert(body, type)


class SellerHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        if new.name != issuing.SELLER:
            raise ValidationError.at(
                "/metadata/name", f"a cloud has one seller, named {issuing.SELLER!r}"
            )
        spec = new.typed(SellerSpec)
        parties.check(spec)
        if not (spec.vat_number or spec.tax_number):
            raise ValidationError.at(
                "/spec/vatNumber", "an invoice needs a VAT number or a tax number of its seller"
            )
        return Admitted()


class AgreementHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        agreements.check(new.typed(AgreementSpec))
        return Admitted()

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        now = await tx.now()
        tenants = {one.tenant for one in page}
        currency = {tenant: (await holds.terms(tx, tenant)).currency for tenant in tenants}
        shown = {}
        for one in page:
            spec = one.typed(AgreementSpec)
            words = agreements.in_words(spec, currency[one.tenant])
            shown[one.uid] = {"phase": agreements.phase(spec, now), "words": words}
        return shown


class InvoiceHooks(Hooks):
    """A month's bill and what was issued of it, each under its own name."""

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        shown: dict[uuid.UUID, Mapping[str, Any]] = {}
        for tenant in {one.tenant for one in page}:
            mine = [(one, one.typed(InvoiceSpec).number) for one in page if one.tenant == tenant]
            issued = {one.uid: number for one, number in mine if number}
            if issued:
                shown |= await _issued(tx, tenant, issued)
            months = {one.uid: invoices.month_named(one.name) for one, number in mine if not number}
            if months:
                shown |= await _bills(tx, tenant, months)
        return shown

    async def act(
        self, tx: Tx, resources: Resources, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any] | None:
        number = resource.typed(InvoiceSpec).number
        if not number:
            raise Conflict(
                f"{resource.name} is a month's bill, and was not sent to anybody",
                hint="Name the number of an issued invoice.",
            )
        if action == "pay":
            return await _pay(tx, number, _convert(body, PaymentSpec), by)
        return await _credit(tx, resources, number, _convert(body, CreditNoteSpec), by)


async def _issued(
    tx: Tx, tenant: str, numbers: Mapping[uuid.UUID, str]
) -> dict[uuid.UUID, Mapping[str, Any]]:
    """The statuses of a tenant's issued documents."""
    today = (await tx.now()).date()
    standings = await issuing.standings(tx, tenant=tenant, numbers=list(numbers.values()))
    known = {found.number: found for found in standings}
    return {uid: _issued_status(known[number], today) for uid, number in numbers.items()}


async def _bills(
    tx: Tx, tenant: str, months: Mapping[uuid.UUID, date]
) -> dict[uuid.UUID, Mapping[str, Any]]:
    """The statuses of a tenant's bills."""
    wanted = sorted(set(months.values()))
    issued = await issuing.of_months(tx, tenant, wanted)
    bills = await invoices.of_months(tx, tenant, wanted)
    return {uid: _bill(bills[month], issued.get(month)) for uid, month in months.items()}


def _bill(made: invoices.Invoice, issued_as: str | None) -> Mapping[str, Any]:
    return {
        "type": "bill",
        "phase": "issued" if issued_as else made.state,
        "number": issued_as or made.number,
        "period": made.period,
        "total": made.total,
        "exact": made.exact,
        "currency": made.currency,
        "lines": len(made.lines),
        "asOf": made.as_of,
    }


async def _status(tx: Tx, number: str) -> Mapping[str, Any]:
    return _issued_status(await issuing.standing(tx, number), (await tx.now()).date())


def _issued_status(found: Standing, today: date) -> Mapping[str, Any]:
    def coins(nano: int) -> str:
        return money.coins(nano, found.currency)

    made = decode(found.document)
    return {
        "type": found.type,
        "phase": found.phase(today),
        "number": found.number,
        "period": f"{found.period:%Y-%m}",
        "total": coins(found.gross),
        "net": coins(found.net),
        "vat": coins(found.vat),
        "open": coins(max(found.open, 0)),
        "issuedOn": found.issued_on.isoformat(),
        "dueOn": found.due_on.isoformat(),
        "corrects": made.corrects,
        "currency": found.currency,
        "lines": len(made.lines),
    }


async def _pay(tx: Tx, number: str, wanted: PaymentSpec, by: Caller) -> Mapping[str, Any]:
    amount = money.parse(wanted.amount)
    if amount <= 0:
        raise ValidationError.at("/amount", "a payment of nothing")
    today = (await tx.now()).date()
    try:
        day = date.fromisoformat(wanted.received_on) if wanted.received_on else today
    except ValueError:
        raise ValidationError.at("/receivedOn", f"{wanted.received_on!r} is no day") from None
    if day > today:
        raise ValidationError.at("/receivedOn", f"{day} has not come yet")
    await issuing.pay(
        tx, number, amount, received_on=day, reference=wanted.reference, actor=by.subject
    )
    return await _status(tx, number)


async def _credit(
    tx: Tx, resources: Resources, number: str, wanted: CreditNoteSpec, by: Caller
) -> Mapping[str, Any]:
    parties.printable(wanted.reason, "/reason")
    net = money.parse(wanted.amount) if wanted.amount else None
    if net is not None:
        currency = (await issuing.get(tx, number)).currency
        if net <= 0 or money.rounded(net, currency) != net:
            raise ValidationError.at("/amount", f"{wanted.amount} is no amount in whole coins")
    made = await issuing.credit(tx, number, net=net, reason=wanted.reason, actor=by.subject)
    await publish_issued(tx, resources, made)
    return await _status(tx, made.number)


async def issue(
    tx: Tx, resources: Resources, tenant: str, body: Any, by: Caller
) -> Mapping[str, Any]:
    """Issue a tenant's month, or say what would be issued. ``outcome`` is ``issued``, ``already``,
    ``draft``, or ``nothing`` where nothing is owed or the tenant is the operator itself."""
    wanted = _convert(body, IssueSpec)
    month = invoices.month_named(wanted.period)
    if tenant == OPERATOR_TENANT:
        return {"outcome": "nothing"}
    try:
        if wanted.draft:
            number = await issuing.find(tx, tenant, month)
            found = await issuing.get(tx, number) if number else None
            made = found or await issuing.draft(tx, tenant, month)
            outcome = "already" if found else "draft"
        else:
            made, new = await issuing.issue(tx, tenant, month, actor=by.subject)
            outcome = "issued" if new else "already"
    except NotFound:
        return {"outcome": "nothing"}
    if not wanted.draft:
        await publish_issued(tx, resources, made)
    return {
        "outcome": outcome,
        "number": made.number,
        "net": made.net,
        "vat": made.vat,
        "gross": made.gross,
        "payable": made.payable,
        "currency": made.currency,
        "customer": made.customer.legal_name,
    }


async def publish_issued(tx: Tx, resources: Resources, made: Issued) -> None:
    """Put an issued document where its tenant finds it."""
    kind = resources.registry["invoice"]
    path = Path(tenant=made.tenant, name=made.number.lower())
    if await resources.find(tx, resources.ref(kind, path)) is None:
        await resources.put(tx, kind, path, {"spec": {"number": made.number}}, SYSTEM)
