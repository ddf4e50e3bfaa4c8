"""Values as people read them: money, sizes, times. Never the other way round."""

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

NANO = Decimal(10) ** -9
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_BYTE_FIELDS = frozenset(("memory", "size", "disk", "bytes", "diskBytes", "logBytes"))


def money(nano: int, currency: str = "") -> str:
    """An amount of 10^-9 units: two decimals from one unit on, below it four digits that count.

    ``1_234_560_000`` is ``1.23``, ``1_234_000`` is ``0.001234``, ``0`` is ``0.00``.
    """
    amount = nano * NANO
    small = amount != 0 and abs(amount) < 1
    places = min(9, max(2, 3 - amount.adjusted())) if small else 2
    text = f"{amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):f}"
    while places > 2 and text.endswith("0"):
        text, places = text[:-1], places - 1
    return f"{text} {currency}".rstrip()


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a number from 1: ``1.5 GiB``."""
    power = 0
    while power < len(_SIZES) - 1 and abs(count) >= 1024 ** (power + 1):
        power += 1
    whole, tenths = divmod(abs(count) * 10 // 1024**power, 10)
    text = f"{whole}.{tenths}" if power and tenths else str(whole)
    return f"{'-' if count < 0 else ''}{text} {_SIZES[power]}"


def duration(seconds: float) -> str:
    """``40 ms``, ``1.4 s``, ``42 s``, ``3 m 20 s``, ``2 h 5 m``, ``3 d 4 h``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    count = round(seconds)
    for unit, name, below, under in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if count >= unit:
            rest = count % unit // below
            return f"{count // unit} {name}" + (f" {rest} {under}" if rest else "")
    return f"{count} s"


def instant(text: str) -> datetime | None:
    """An RFC 3339 time; None for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def age(text: str, now: datetime | None = None) -> str:
    """How long ago, in its largest unit: ``3m``; what is still to come is ``in 3m``."""
    then = instant(text)
    if then is None:
        return "-"
    seconds = int(((now or datetime.now(UTC)) - then).total_seconds())
    # Clocks differ a little: what seems to come in a moment has just been.
    when = "in " if seconds < -5 else ""
    count = abs(seconds) if when else max(seconds, 0)
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if count >= unit:
            return f"{when}{count // unit}{name}"
    return f"{when}{count}s"


def moment(text: str) -> str:
    """A time to read: ``2026-11-21 08:00:00 UTC``."""
    then = instant(text)
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if then else text


def at(document: Any, path: str) -> Any:
    """The value at a dotted path, None where there is none."""
    found = document
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def cell(document: Any, path: str) -> str:
    """The value at a path, as it stands in a table; ``-`` for nothing.

    Names tell the form: ``…Nano`` is money in the ``currency`` beside it (or the status'),
    ``…At`` and ``…Until`` are times, ``memory`` and the like are bytes.
    """
    value = at(document, path)
    above, _, name = path.rpartition(".")
    if value is None or value in ("", [], {}):
        return "-"
    if name.endswith(("At", "Until")) and isinstance(value, str):
        return age(value)
    return scalar(name, value, currency_near(document, above))


def currency_near(document: Any, path: str) -> str:
    """The currency that holds at a path: beside it, or above."""
    while True:
        found = at(document, f"{path}.currency" if path else "currency")
        if isinstance(found, str) or not path:
            return found or ""
        path = path.rpartition(".")[0]


def any_currency(document: Any) -> str:
    """The one currency that a document names anywhere; empty if none or several."""
    found = set(_currencies(document))
    return found.pop() if len(found) == 1 else ""


def _currencies(document: Any) -> Iterator[str]:
    if isinstance(document, Mapping):
        if isinstance(document.get("currency"), str):
            yield document["currency"]
        document = list(document.values())
    if isinstance(document, list):
        for value in document:
            yield from _currencies(value)


def counted(count: int, noun: str) -> str:
    """``1 offer``, ``2 offers``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def scalar(name: str, value: Any, currency: str = "") -> str:
    """One value in the form that its name tells."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("Nano"):
        return money(value, currency)
    if isinstance(value, int) and name in _BYTE_FIELDS:
        return size(value)
    if isinstance(value, int) and name == "mode":
        return f"{value:04o}"
    if name == "command" and isinstance(value, list):
        return shlex.join(map(str, value))
    if isinstance(value, str) and name.endswith(("At", "Until")):
        return moment(value)
    if isinstance(value, list) and all(not isinstance(v, (dict, list)) for v in value):
        return ",".join(map(str, value))
    if isinstance(value, Mapping):
        if "amountNano" in value:
            return money(value["amountNano"], str(value.get("currency") or currency))
        return ",".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, list):
        return f"{len(value)} of them"
    return printable(str(value))


def printable(text: str) -> str:
    """Text of others, made safe for a terminal: what it could act on is escaped."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def short(ref: str) -> str:
    """``jobs/train`` of a whole ref; what is none, as it is."""
    parts = ref.split("/")
    return "/".join(parts[-2:]) if len(parts) > 4 else ref
