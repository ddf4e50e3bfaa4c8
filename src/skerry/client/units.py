"""Amounts as people write them: ``2GiB``, ``10m``, ``0.5`` cores. Exact, never floats."""

import re
from decimal import Decimal, InvalidOperation

from skerry.client.errors import BadSetting

_BYTES = {"": 1, "B": 1}
for _power, _letter in enumerate("KMGTP", start=1):
    _BYTES[f"{_letter}B"] = 1000**_power
    _BYTES[_letter] = _BYTES[f"{_letter}i"] = _BYTES[f"{_letter}iB"] = 1024**_power
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def parse_bytes(text: str | int) -> int:
    """Bytes: ``1073741824``, ``1GiB``, ``1Gi``, ``1G`` (all the same), ``1GB`` (1,000,000,000)."""
    factors = {name.lower(): factor for name, factor in _BYTES.items()}
    return _scaled(str(text), factors, "a size", "512MiB, 2GiB or a number of bytes", fold=True)


def parse_seconds(text: str | int) -> int:
    """Seconds: ``90``, ``90s``, ``10m``, ``1.5h``, ``2d``."""
    return _scaled(str(text), _SECONDS, "a duration", "90s, 10m, 1.5h or a number of seconds")


def parse_millicores(text: str | int | float | Decimal) -> int:
    """Thousandths of a core from a number of cores: ``0.5`` gives 500, ``500m`` too."""
    word = str(text)
    if word.endswith("m"):
        return _scaled(word, {"m": 1}, "a number of cores", "2, 0.5 or 500m")
    try:
        cores = Decimal(word)
    except InvalidOperation:
        cores = Decimal(-1)
    exact = cores * 1000
    if not exact.is_finite() or exact < 1 or exact != exact.to_integral_value():
        raise BadSetting(f"{word[:40]!r} is not a number of cores", hint="Write 2, 0.5 or 500m.")
    return int(exact)


def _scaled(
    text: str, factors: dict[str, int], what: str, examples: str, *, fold: bool = False
) -> int:
    found = _NUMBER.fullmatch(text.strip())
    unit = (found[2].lower() if fold else found[2]) if found else ""
    if found is None or unit not in factors:
        raise BadSetting(f"{text[:40]!r} is not {what}", hint=f"Write {examples}.")
    exact = Decimal(found[1]) * factors[unit]
    if exact != exact.to_integral_value():
        raise BadSetting(f"{text[:40]!r} is not a whole number", hint=f"Write {examples}.")
    return int(exact)
