"""Which value added tax an invoice carries: a pure function of who sells and who buys.

All that Skerry sells is a service supplied electronically, so one category holds for a whole
invoice (codes of UNCL 5305, as EN 16931 wants them):

| category | when |
|---|---|
| ``E`` exempt | the seller charges none (a small business), in its own words |
| ``S`` standard | buyer in the seller's country; or a buyer in the EU without a VAT number, at the rate of its own country (one-stop shop) |
| ``Z`` zero rated | as ``S``, where that rate is nothing |
| ``AE`` reverse charge | seller and buyer in two countries of the EU, both with VAT numbers |
| ``O`` not subject | every other buyer abroad |

A rate is an integer, in hundredths of a percent.
"""  # noqa: E501

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from skerry.kernel.countries import EU
from skerry.kernel.errors import Conflict
from skerry.ledger import money
from skerry.ledger.parties import Party, SellerSpec

Category = Literal["S", "Z", "AE", "O", "E"]


class Treatment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    category: Category
    rate: int = 0
    """In hundredths of a percent: 1900 is 19 %."""
    country: str
    """Whose tax it is."""
    reason: str = ""
    """Why there is none; printed, and in the XML."""
    reason_code: str = ""
    """VATEX, where there is one."""

    @property
    def percent(self) -> str:
        """``19`` or ``25.5``."""
        return money.text(self.rate * 10**7, least=0)

    def tax(self, net: int, currency: str) -> int:
        """Of a net sum, once, to whole coins, half to even; in nano."""
        coin = money.coin(currency)
        return money.half_even(net * self.rate, 10_000 * coin) * coin


@cache
def _known() -> dict[str, int]:
    text = (resources.files("skerry.ledger") / "vat.toml").read_text("utf-8")
    return {country: _rate(percent) for country, percent in tomllib.loads(text)["rates"].items()}


def _rate(percent: str) -> int:
    return money.parse(percent) // 10**7


def treatment(seller: SellerSpec, customer: Party) -> Treatment:
    """Raises ``Conflict`` if the rate of a country is not known."""
    home, there = seller.country, customer.country
    if seller.exemption:
        return Treatment(category="E", country=home, reason=seller.exemption)
    if there == home:
        return _taxed(seller, home)
    if home in EU and there in EU:
        if customer.vat_number and seller.vat_number:
            return Treatment(
                category="AE",
                country=there,
                reason="Reverse charge: the recipient owes the VAT (Article 196 of Directive "
                "2006/112/EC)",
                reason_code="VATEX-EU-AE",
            )
        return _taxed(seller, there)
    return Treatment(
        category="O",
        country=there,
        reason="Not subject to VAT: the place of supply is the recipient's country",
        reason_code="VATEX-EU-O",
    )


def _taxed(seller: SellerSpec, country: str) -> Treatment:
    rate = _of(seller, country)
    return Treatment(category="S" if rate else "Z", rate=rate, country=country)


def _of(seller: SellerSpec, country: str) -> int:
    own = {rate.country: rate.percent for rate in seller.vat_rates}
    if country in own:
        return _rate(own[country])
    if country not in _known():
        raise Conflict(
            f"the VAT rate of {country} is not known",
            hint="Say it in the seller's vatRates; 0 where there is no such tax.",
        )
    return _known()[country]
