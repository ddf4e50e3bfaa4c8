"""Meters: what can be counted. A meter's name says how it is sold, and its ending says its units.

| ending | counted in | sold by |
|---|---|---|
| `-gib-hour` | MiB-seconds | GiB for an hour |
| `-gib-month` | MiB-seconds | GiB for 30 days |
| `-hour` | thousandths of the thing, times seconds | one thing for an hour |
| `-gib` | bytes | GiB |
| `-million` | ones | a million |
| `-each` | ones | one |

So ``cpu-hour`` counts core-milliseconds and ``memory-gib-hour`` MiB-seconds, and a product that
needs a meter of its own only has to name it. All counts are integers.
"""

import re
from dataclasses import dataclass
from functools import cache

MIB = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_UNITS = (
    ("-gib-hour", "MiB-second", 1024 * 3600, "GiB-hour"),
    ("-gib-month", "MiB-second", 1024 * 3600 * 24 * 30, "GiB-month"),
    ("-hour", "millisecond", 1000 * 3600, "hour"),
    ("-gib", "byte", 1 << 30, "GiB"),
    ("-million", "one", 10**6, "million"),
    ("-each", "one", 1, "each"),
)


@dataclass(frozen=True)
class Meter:
    name: str
    base: str
    """The unit that quantities are counted in."""
    per: int
    """Base units in one unit of sale."""
    unit: str
    """The unit of sale, as on an invoice: ``core-hour``, ``GiB-month``."""


@cache
def meter(name: str) -> Meter:
    """The meter of that name. Raises ``ValueError`` if its ending is none of the known ones."""
    if _NAME.fullmatch(name):
        for ending, base, per, unit in _UNITS:
            if name.endswith(ending):
                return Meter(name, base, per, _unit(name.removesuffix(ending), unit))
    endings = ", ".join(end for end, *_ in _UNITS)
    raise ValueError(f"{name[:60]!r} is not a meter: it must end in one of {endings}")


def unit_of(name: str) -> str:
    """The unit of sale; the name itself for what is no meter of ours."""
    try:
        return meter(name).unit
    except ValueError:
        return name


def _unit(thing: str, unit: str) -> str:
    if unit != "hour":
        return unit
    return {"cpu": "core-hour", "gpu": "GPU-hour"}.get(thing, f"{thing}-hour")


def rate(name: str, amount: int) -> int:
    """Base units a second of a meter that runs with time, for thousandths of a thing (cores, GPUs)
    or for bytes (the ``gib`` meters), rounded up."""
    unit = meter(name).base
    if unit == "MiB-second":
        return -(-amount // MIB)
    if unit == "millisecond":
        return amount
    raise ValueError(f"{name} is counted by readings, not by time")
