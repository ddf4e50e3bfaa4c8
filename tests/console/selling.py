"""Billing's part of the cloud that is looked at: who sells, who buys, an invoice and its credit
note. Nothing was used last month there, so what is invoiced is a commitment."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.console.seeded import Seeded

BILLING = "/providers/skerry.billing/v1"
ACME = f"{BILLING}/tenants/acme"
SELLER = {
    "legalName": "Hafencloud GmbH", "street": "Hafenstraße 1", "postalCode": "20457",
    "city": "Hamburg", "country": "DE", "vatNumber": "DE136695976", "bank": "Commerzbank",
    "iban": "DE89 3704 0044 0532 0130 00", "email": "billing@hafencloud.example",
}  # fmt: skip
CUSTOMER = {
    "legalName": "Acme Cartography AB", "street": "Kungsgatan 7", "postalCode": "111 43",
    "city": "Stockholm", "country": "SE", "email": "invoices@acme.example",
}  # fmt: skip


def sell(cloud: "Seeded") -> None:
    first = datetime.now(UTC).date().replace(day=1)
    month = (first - timedelta(days=1)).replace(day=1)
    cloud.put(f"{BILLING}/sellers/main", SELLER)
    account = {"mode": "postpaid", "creditLimit": "1000", "customer": CUSTOMER}
    cloud.put(f"{ACME}/accounts/main", account)
    floor = {"commitment": "80", "startsOn": str(month), "endsOn": str(first)}
    cloud.put(f"{ACME}/agreements/floor", floor)
    cores = {"meter": "cpu-hour", "price": "0.009", "startsOn": str(month)}
    cloud.put(f"{ACME}/agreements/cores", cores)
    cloud.put(f"{ACME}/credits/welcome", {"amount": "5", "source": "promo", "note": "Welcome"})
    cloud.put(f"{BILLING}/vouchers/fair", {"amount": "10", "lastDay": "2099-12-31"})
    made = cloud.ask("POST", f"{ACME}/accounts/main/issue", {"period": f"{month:%Y-%m}"})
    invoice = f"{ACME}/invoices/{made['number'].lower()}"
    cloud.ask("POST", f"{invoice}/credit", {"amount": "4", "reason": "An outage"})
    cloud.ask("POST", f"{invoice}/pay", {"amount": "20", "reference": "wire 4711"})
