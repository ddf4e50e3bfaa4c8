"""The kinds of billing: budgets, accounts, agreements, credits, invoices and price lists.

A tenant writes its budgets and reads the rest. Who sells, what a tenant may owe and who it is (its
account), what is agreed with it and what it is given (credits) is written by the operator alone.
Invoices and price lists are written by Skerry: one bill per tenant and month, a draft until it is
closed, and beside it, under its number, what was issued to be paid; documents, pages, XML and
exports are their views.
"""

from skerry.identity.tenants import STAKES
from skerry.kernel.kinds import READ_ONLY, Action, Column, Kind
from skerry.kernel.views import View
from skerry.ledger import leaving, views
from skerry.ledger.agreements import AgreementSpec, AgreementStatus
from skerry.ledger.hooks import AccountHooks, BudgetHooks, CreditHooks, PriceListHooks
from skerry.ledger.invoice_hooks import AgreementHooks, InvoiceHooks, SellerHooks
from skerry.ledger.parties import SellerSpec
from skerry.ledger.specs import (
    AccountSpec,
    AccountStatus,
    BudgetSpec,
    BudgetStatus,
    CreditNoteSpec,
    CreditSpec,
    CreditStatus,
    InvoiceSpec,
    InvoiceStatus,
    IssueSpec,
    PaymentSpec,
    PriceListSpec,
    PriceListStatus,
)
from skerry.ledger.vouchers import (
    RedemptionHooks,
    RedemptionSpec,
    RedemptionStatus,
    VoucherHooks,
    VoucherSpec,
    VoucherStatus,
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
        actions=(Action("issue", "Issue the invoice of a past month", IssueSpec),),
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
        summary="What a tenant owes for a month, line by line, and what was issued of it",
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
            View("payments", "What was paid of it, and the credit notes for it", views.payments),
            View("focus", "The invoice as FOCUS 1.2, in Parquet", views.export,
                 media="application/vnd.apache.parquet"),
            View("xml", "The invoice as XML after EN 16931", views.xml, media="application/xml",
                 query={"syntax": "cii (Factur-X, ZUGFeRD) or ubl (Peppol)"}),
            View("pdf", "The invoice as PDF, with its XML inside", views.pdf,
                 media="application/pdf"),
        ),
        actions=(
            Action("credit", "Issue a credit note for an invoice or a part of it", CreditNoteSpec),
            Action("pay", "Record that an invoice was paid, or a part of it", PaymentSpec),
        ),
        columns=(
            Column("TYPE", "status.type"),
            Column("PHASE", "status.phase"),
            Column("TOTAL", "status.total"),
            Column("OPEN", "status.open"),
            Column("CURRENCY", "status.currency"),
            Column("DUE", "status.dueOn"),
            Column("LINES", "status.lines", wide=True),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="sellers",
        noun="seller",
        summary="Who issues this cloud's invoices",
        parent="global",
        spec=SellerSpec,
        hooks=SellerHooks(),
        ops=frozenset(("get", "list", "put")),
        regional=False,
        operator_only=True,
        views=(
            View("register", "All invoices and credit notes, by number", views.register,
                 query={"period": "Only this month, such as 2026-10"}),
            View("revenue", "What all tenants used and were invoiced", views.revenue,
                 query={"step": "month (if nothing is said) or day",
                        "from": "The first month, such as 2026-01; by day: a time, or -30d",
                        "to": "The last month; by day: a time"}),
            View("xml", "An issued document as XML, also of a tenant that is gone", views.xml,
                 media="application/xml", query={"number": "Its number", "syntax": "cii or ubl"}),
            View("pdf", "An issued document as PDF, also of a tenant that is gone", views.pdf,
                 media="application/pdf", query={"number": "Its number"}),
        ),
        columns=(
            Column("NAME", "spec.legalName"),
            Column("COUNTRY", "spec.country"),
            Column("VAT NUMBER", "spec.vatNumber"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="agreements",
        noun="agreement",
        summary="What one tenant pays differently from the price list",
        parent="tenant",
        spec=AgreementSpec,
        status=AgreementStatus,
        hooks=AgreementHooks(),
        regional=False,
        operator_only=True,
        columns=(
            Column("AGREED", "status.words"),
            Column("FROM", "spec.startsOn"),
            Column("UNTIL", "spec.endsOn"),
            Column("PHASE", "status.phase"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="vouchers",
        noun="voucher",
        summary="A code worth money, redeemed once, until a day",
        parent="global",
        spec=VoucherSpec,
        status=VoucherStatus,
        hooks=VoucherHooks(),
        ops=frozenset(("get", "list", "put")),
        immutable=("amount", "source", "lastDay"),
        regional=False,
        operator_only=True,
        columns=(
            Column("AMOUNT", "spec.amount"),
            Column("SOURCE", "spec.source"),
            Column("LAST DAY", "spec.lastDay"),
            Column("PHASE", "status.phase"),
            Column("TENANT", "status.tenant"),
        ),
    ),
    Kind(
        provider=PROVIDER,
        collection="redemptions",
        noun="redemption",
        summary="A voucher's code that a tenant redeemed",
        parent="tenant",
        spec=RedemptionSpec,
        status=RedemptionStatus,
        hooks=RedemptionHooks(),
        ops=frozenset(("get", "list", "put")),
        immutable=("code",),
        quota=1_000,
        regional=False,
        columns=(
            Column("PHASE", "status.phase"),
            Column("AMOUNT", "status.amount"),
            Column("CURRENCY", "status.currency"),
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

STAKES.append(leaving.Money())
