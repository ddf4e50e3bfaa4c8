"""Amounts: integers in 10^-9 of a currency unit ("nano"), and how people write them.

Texts are decimal strings, in documents and on the wire: a JSON number would be a float somewhere.
"""

import re

NANO = 10**9
MOST = 2**62
"""The largest single amount: 4.6 thousand million units."""

_DECIMAL = re.compile(r"(-?)([0-9]{1,10})(?:\.([0-9]{1,9}))?")
_PLACES = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def parse(text: str) -> int:
    """``"0.012"`` as 12,000,000 nano. Raises ``ValueError`` for anything but plain decimals."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not an amount such as 12.50 (at most 9 decimals)")
    sign, whole, part = found.groups()
    nano = int(whole) * NANO + int((part or "").ljust(9, "0"))
    return -nano if sign else nano


def text(nano: int, least: int = 2) -> str:
    """The exact amount, with no more decimals than needed and not fewer than ``least``."""
    whole, part = divmod(abs(nano), NANO)
    decimals = f"{part:09d}".rstrip("0").ljust(least, "0")
    return f"{'-' if nano < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"


def places(currency: str) -> int:
    """Decimals of the currency's smallest coin (ISO 4217): 2 for EUR, 0 for JPY."""
    return _PLACES.get(currency, 2)


def coin(currency: str) -> int:
    """The currency's smallest coin, in nano."""
    nano: int = 10 ** (9 - places(currency))
    return nano


def rounded(nano: int, currency: str) -> int:
    """To whole coins, half to even. The result is in nano again."""
    unit = coin(currency)
    return half_even(nano, unit) * unit


def half_even(value: int, unit: int) -> int:
    """``value / unit`` as an integer, a half going to the even neighbour."""
    quotient, rest = divmod(value, unit)
    if 2 * rest > unit or (2 * rest == unit and quotient % 2):
        quotient += 1
    return quotient


def coins(nano: int, currency: str) -> str:
    """A rounded amount as an invoice shows it: ``12.50``."""
    return text(nano, places(currency))


def due(price: int, per: int, quantity: int) -> int:
    """What ``quantity`` base units cost in all, in nano, at ``price`` for ``per`` of them.

    Always the sum since the beginning: what is charged now is this less what was charged before,
    so the parts add up to the whole however usage is cut, and a stream's rounding stays below one
    nano. Rounds down.
    """
    return price * quantity // per
