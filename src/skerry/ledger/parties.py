"""Who sells and who buys, as a tax office wants them named, and the form of their VAT numbers.

Both are written by the operator: the seller once for the cloud, each customer in its tenant's
billing account. An invoice keeps its own copy, so that a later change alters no invoice.
"""

from typing import Annotated

import msgspec
from msgspec import Meta
from stdnum import bic as _bic
from stdnum import get_cc_module
from stdnum import iban as _iban
from stdnum.exceptions import ValidationError as BadNumber

from skerry.kernel.countries import COUNTRIES, EU
from skerry.kernel.errors import ValidationError
from skerry.kernel.kinds import Spec
from skerry.notices.outbox import address_of

PREFIXES = {"GR": "EL"}
"""Where a VAT number does not begin with the country's code."""

_LINE = Meta(min_length=1, max_length=200)
_MAYBE = Meta(max_length=200)
_Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1, such as DE")]
_Email = Annotated[str, Meta(pattern=r"^([^@\s]+@[^@\s]+)?$", max_length=200)]


class Party(Spec, kw_only=True):
    """A business or a person with a postal address."""

    legal_name: Annotated[str, _LINE, Meta(description="As it is registered")]
    street: Annotated[str, _LINE, Meta(description="Street and number")]
    extra_line: Annotated[str, _MAYBE, Meta(description="Such as a floor or a department")] = ""
    postal_code: Annotated[str, Meta(max_length=20, description="Empty where there is none")] = ""
    city: Annotated[str, _LINE, Meta(description="With its district, where that is written")]
    country: _Country
    vat_number: Annotated[
        str, Meta(max_length=30, description="With its prefix, such as DE136695976; none: empty")
    ] = ""
    registration: Annotated[
        str, _MAYBE, Meta(description="Number in the company register, if there is one")
    ] = ""
    email: Annotated[_Email, Meta(description="Where invoices and questions go")] = ""


class Customer(Party, kw_only=True):
    buyer_reference: Annotated[
        str, _MAYBE, Meta(description="What the buyer wants to see: an order, a cost centre")
    ] = ""
    payment_days: Annotated[int, Meta(ge=0, le=180, description="Days until an invoice is due")] = (
        14
    )


class VatRate(Spec, kw_only=True):
    """Instead of the rate that Skerry knows."""

    country: _Country
    percent: Annotated[str, Meta(pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$", description="Such as 19")]


class SellerSpec(Party, kw_only=True):
    phone: Annotated[str, _MAYBE, Meta(description="For questions about invoices")] = ""
    contact: Annotated[str, _MAYBE, Meta(description="A person or department for questions")] = ""
    tax_number: Annotated[
        str, _MAYBE, Meta(description="The tax office's own number, where there is one")
    ] = ""
    iban: Annotated[str, Meta(max_length=50, description="Where to pay")] = ""
    bic: Annotated[str, Meta(max_length=11, description="Of the bank, where it is asked for")] = ""
    bank: Annotated[str, _MAYBE, Meta(description="The bank's name")] = ""
    number_prefix: Annotated[
        str,
        Meta(pattern=r"^([A-Z][A-Z0-9]{0,7}-?)?$", description="Before each invoice's number"),
    ] = ""
    exemption: Annotated[
        str,
        Meta(
            max_length=300,
            description="Why no VAT is charged at all, in the law's words (a small business)",
        ),
    ] = ""
    vat_rates: Annotated[
        tuple[VatRate, ...],
        Meta(max_length=60, description="Rates that differ from those Skerry knows"),
    ] = ()
    footer: Annotated[
        str, Meta(max_length=500, description="A line that the law wants: directors, court")
    ] = ""


def printable(words: str, pointer: str) -> None:
    """Raise ``ValidationError`` for what neither XML nor paper can hold, such as a line break."""
    if not words.isprintable():
        raise ValidationError.at(pointer, "it has a character that can't be printed")


def check(party: Party, pointer: str = "/spec") -> None:
    """Raise ``ValidationError`` for a country or a number that can't be."""
    for field, words in msgspec.to_builtins(party).items():
        if isinstance(words, str):
            printable(words, f"{pointer}/{field}")
    if party.country not in COUNTRIES:
        raise ValidationError.at(f"{pointer}/country", f"{party.country!r} is no country")
    if party.email:
        try:
            address_of(party.email)
        except ValidationError as error:
            raise ValidationError.at(f"{pointer}/email", str(error.detail), error.hint) from None
    if party.vat_number:
        vat_number(party.vat_number, party.country, f"{pointer}/vatNumber")
    if not isinstance(party, SellerSpec):
        return
    for field, check in (("iban", _iban), ("bic", _bic)):
        value = getattr(party, field)
        if value and not check.is_valid(value):
            raise ValidationError.at(f"{pointer}/{field}", f"{value!r} is no {field.upper()}")
    for index, rate in enumerate(party.vat_rates):
        if rate.country not in COUNTRIES:
            raise ValidationError.at(
                f"{pointer}/vatRates/{index}/country", f"{rate.country!r} is no country"
            )


def vat_number(text: str, country: str, pointer: str = "/spec/vatNumber") -> str:
    """The number without blanks. Raises ``ValidationError`` if its form is not that of its country;
    whether it was ever given to anybody is for a register to say."""
    number = "".join(c for c in text.upper() if c.isalnum())
    prefix = PREFIXES.get(country, country)
    if country in EU and not number.startswith(prefix):
        raise ValidationError.at(
            pointer,
            f"the VAT number {text[:30]!r} is not one of {country}",
            f"It starts with {prefix}.",
        )
    module = get_cc_module(country.lower(), "vat")
    if module is None:
        if len(number) < 4:
            raise ValidationError.at(pointer, f"{text[:30]!r} is too short for a VAT number")
        return number
    try:
        short = module.validate(number.removeprefix(prefix) if country in EU else number)
    except BadNumber as error:
        reason = str(error).rstrip(".")
        raise ValidationError.at(
            pointer,
            f"{text[:30]!r} has not the form of a VAT number of {country}: "
            f"{reason[:1].lower()}{reason[1:]}",
            "Look at the customer's own invoices or at the register of its country.",
        ) from None
    return f"{prefix}{str(short).removeprefix(prefix)}"
