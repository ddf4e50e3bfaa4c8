"""The kinds of billing: budgets, accounts, credits, invoices and price lists.

A tenant writes its budgets and reads the rest. What a tenant may owe (its account) and what it is
given (credits) is written by the operator alone. Invoices and price lists are written by Skerry:
one invoice per tenant and month, a draft until it is closed, with its whole document, its page and
its FOCUS export as views.
"""

from skerry.kernel.kinds import READ_ONLY, Column, Kind
from skerry.kernel.views import View
from skerry.ledger import views
from skerry.ledger.hooks import AccountHooks, BudgetHooks, CreditHooks, InvoiceHooks, PriceListHooks
from skerry.ledger.specs import (
    AccountSpec,
    AccountStatus,
    BudgetSpec,
    BudgetStatus,
    CreditSpec,
    CreditStatus,
    InvoiceSpec,
    InvoiceStatus,
    PriceListSpec,
    PriceListStatus,
)

PROVIDER = "skerry.billing"

KINDS = [
    Kind(
        provider=PROVIDER,
        collection="budgets",
        noun="budget",
        summary="What a tenant or a workspace may spend in a month",
        parent="tenant",
        spec=BudgetSpec,
        status=BudgetStatus,
        hooks=BudgetHooks(),
        quota=100,
        regional=False,
        columns=(
            Column("WORKSPACE", "spec.workspace"),
            Column("AMOUNT", "spec.amount"),
            Column("SPENT", "status.spent"),
            Column("HELD", "status.held"),
            Column("LEFT", "status.left"),
            Column("PHASE", "status.phase"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="accounts",
        noun="billing-account",
        summary="How a tenant pays, and what it has or owes",
        parent="tenant",
        spec=AccountSpec,
        status=AccountStatus,
        hooks=AccountHooks(),
        ops=frozenset(("get", "list", "put")),
        regional=False,
        operator_only=True,
        columns=(
            Column("MODE", "spec.mode"),
            Column("BALANCE", "status.balance"),
            Column("HELD", "status.held"),
            Column("AVAILABLE", "status.available"),
            Column("CURRENCY", "status.currency"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="credits",
        noun="credit",
        summary="A payment or a gift that a tenant can spend",
        parent="tenant",
        spec=CreditSpec,
        status=CreditStatus,
        hooks=CreditHooks(),
        ops=frozenset(("get", "list", "put")),
        immutable=("amount", "source", "note"),
        regional=False,
        operator_only=True,
        columns=(
            Column("AMOUNT", "spec.amount"),
            Column("SOURCE", "spec.source"),
            Column("NOTE", "spec.note", wide=True),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="invoices",
        noun="invoice",
        summary="What a tenant owes for a month, line by line",
        parent="tenant",
        spec=InvoiceSpec,
        status=InvoiceStatus,
        hooks=InvoiceHooks(),
        ops=READ_ONLY,
        regional=False,
        operator_only=True,
        views=(
            View("document", "The whole invoice with its lines", views.document),
            View("page", "The invoice to read and print", views.html, media="text/html"),
            View("focus", "The invoice as FOCUS 1.2, in Parquet", views.export,
                 media="application/vnd.apache.parquet"),
        ),
        columns=(
            Column("PHASE", "status.phase"),
            Column("TOTAL", "status.total"),
            Column("CURRENCY", "status.currency"),
            Column("LINES", "status.lines"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="price-lists",
        noun="price-list",
        summary="What things cost, by version",
        parent="tenant",
        spec=PriceListSpec,
        status=PriceListStatus,
        hooks=PriceListHooks(),
        ops=READ_ONLY,
        regional=False,
        operator_only=True,
        columns=(
            Column("FROM", "status.effectiveAt"),
            Column("CURRENCY", "status.currency"),
            Column("PHASE", "status.phase"),
        ),
    ),
]  # fmt: skip
