"""What billing's kinds do inside the transaction of a request."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from skerry.kernel import alerts
from skerry.kernel.errors import Source, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import (
    budgets,
    chart,
    holds,
    invoice_hooks,
    money,
    parties,
    price_lists,
    shortage,
)
from skerry.ledger.chart import Terms
from skerry.ledger.cost import cost
from skerry.ledger.ids import named
from skerry.ledger.journal import Draft
from skerry.ledger.meters import unit_of
from skerry.ledger.prices import PriceList, Tariff
from skerry.ledger.purse import purse_of
from skerry.ledger.specs import AccountSpec, BudgetSpec, CreditSpec, PriceListSpec
from skerry.ledger.transfers import Transfer
from skerry.ledger.windows import month_of
from skerry.store import Tx

ACCOUNT = "main"
"""A tenant has one account."""


class BudgetHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(BudgetSpec)
        terms = await holds.open_tenant(tx, new.tenant)
        if money.parse(spec.amount) == 0:
            raise ValidationError.at("/spec/amount", "a budget of nothing would stop everything")
        if spec.currency not in ("", terms.currency):
            raise ValidationError.at(
                "/spec/currency", f"{new.tenant} is billed in {terms.currency}"
            )
        return Admitted()

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        # What it warned of is another question now; what is reached again, warns next month.
        await self.removing(tx, resources, new, by)

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        month = month_of(await tx.now())
        await alerts.clear(tx, budgets.alert_subject(resource.tenant, resource.name, month))

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        month = month_of(await tx.now())
        return {
            budget.uid: {
                "phase": budget.phase,
                "spent": money.text(budget.spent),
                "held": money.text(budget.held),
                "left": money.text(budget.left),
                "currency": budget.currency,
                "reached": list(budget.reached),
            }
            for budget in await budgets.of_tenants(tx, list({one.tenant for one in page}), month)
        }


class AccountHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(AccountSpec)
        if new.name != ACCOUNT:
            raise ValidationError(
                f"a tenant has one account, named {ACCOUNT!r}",
                sources=[Source(pointer="/metadata/name")],
            )
        if spec.mode == "prepaid" and spec.credit_limit:
            raise ValidationError.at("/spec/creditLimit", "a prepaid tenant has no credit")
        if spec.customer is not None:
            parties.check(spec.customer, "/spec/customer")
        return Admitted()

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        spec = new.typed(AccountSpec)
        before = await holds.open_tenant(tx, new.tenant)
        limit = money.parse(spec.credit_limit) if spec.credit_limit else None
        wanted = Terms(spec.mode, limit, before.currency)
        await chart.set_terms(tx, new.tenant, wanted, actor=by.subject)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return {one.uid: await self._balance(tx, one) for one in page}  # a tenant has one

    async def _balance(self, tx: Tx, resource: Resource) -> Mapping[str, Any]:
        live = await cost(tx, resource.tenant)
        own = await chart.find(tx, chart.funds(resource.tenant, live.currency))
        left = (await purse_of(tx, resource.tenant, live.currency)).funds if own else None
        due = await chart.find(tx, chart.account_id(resource.tenant, "due", live.currency))
        return {
            "balance": money.text(own.balance - own.debits_pending if own else 0),
            "due": money.text(-due.balance if due else 0),
            "held": money.text(live.held),
            "available": "" if left is None else money.text(max(left, 0)),
            "thisMonth": money.text(live.total),
            "perHour": money.text(live.per_hour),
            "currency": live.currency,
            **await shortage.of(tx, resource.tenant),
        }

    async def act(
        self, tx: Tx, resources: Resources, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any] | None:
        return await invoice_hooks.issue(tx, resources, resource.tenant, body, by)


class CreditHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        if money.parse(new.typed(CreditSpec).amount) == 0:
            raise ValidationError.at("/spec/amount", "a credit of nothing")
        return Admitted(status={"transfer": str(named("credit", new.uid))})

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        """Move the money. Its id is the credit's, so a repeated PUT moves nothing."""
        spec = new.typed(CreditSpec)
        terms = await holds.open_tenant(tx, new.tenant)
        account = "cash" if spec.source == "payment" else "promo"
        await chart.ensure(tx, [(chart.OPERATOR, account, terms.currency, "")])
        draft = await Draft.open(tx)
        await draft.post(
            [
                Transfer(
                    id=named("credit", new.uid),
                    debit=chart.account_id(chart.OPERATOR, account, terms.currency),
                    credit=chart.funds(new.tenant, terms.currency),
                    amount=money.parse(spec.amount),
                    code=spec.source,
                    subject=new.ref,
                )
            ]
        )
        await draft.seal(actor=by.subject)


class PriceListHooks(Hooks):
    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        now = await tx.now()
        current = await price_lists.at(tx)
        known = {found.version: found for found in await price_lists.all_lists(tx)}
        shown = {}
        for one in page:
            found = known.get(one.typed(PriceListSpec).version)
            if found is not None:
                phase = "past" if found.version < current.version else "current"
                shown[one.uid] = {
                    "phase": "future" if found.effective_at > now else phase,
                    "currency": found.currency,
                    "effectiveAt": stamp(found.effective_at),
                    "prices": [msgspec.to_builtins(entry) for entry in entries(found)],
                }
        return shown


def entries(found: PriceList) -> Iterator[dict[str, str]]:
    """A price list, flat: what an operator could read aloud."""
    places: list[tuple[str, str, Mapping[str, Tariff]]] = [("", "", found.prices)]
    places += [(place.region, place.site, place.prices) for place in found.places]
    for region, site, prices in places:
        for name, tariff in prices.items():
            own = {"": tariff.default} if tariff.default is not None else {}
            for sku, amount in {**own, **tariff.skus}.items():
                entry = {"meter": name, "unit": unit_of(name), "price": money.text(amount)}
                extra = {"sku": sku, "region": region, "site": site}
                yield entry | {key: value for key, value in extra.items() if value}
