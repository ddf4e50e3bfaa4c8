"""What an audit found, in words for whoever has to act on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

MOST = 1000


@dataclass(frozen=True)
class Finding:
    """One difference: where it is, and what is wrong there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Findings:
    """Findings as they come; past the first thousand only their number is kept."""

    found: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, where: str, what: str) -> None:
        if len(self.found) < MOST:
            self.found.append(Finding(where, what))
        else:
            self.more += 1

    def all(self) -> list[Finding]:
        if not self.more:
            return self.found
        return [*self.found, Finding("audit", f"{self.more} more differences are not listed")]


def differences(logged: Any, live: Any, pointer: str = "") -> Iterator[str]:
    """Where two JSON values differ, as JSON pointers with both values."""
    if isinstance(logged, Mapping) and isinstance(live, Mapping):
        for name in sorted({*logged, *live}):
            step = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in live:
                yield f"{step} is gone, the log has {_short(logged[name])}"
            elif name not in logged:
                yield f"{step} is {_short(live[name])}, the log has none"
            else:
                yield from differences(logged[name], live[name], step)
    elif isinstance(logged, list) and isinstance(live, list) and len(logged) == len(live):
        for index, (was, now) in enumerate(zip(logged, live, strict=True)):
            yield from differences(was, now, f"{pointer}/{index}")
    elif type(logged) is not type(live) or logged != live:
        yield f"{pointer or 'the whole'} is {_short(live)}, the log has {_short(logged)}"


def listed(numbers: list[int]) -> str:
    """A few numbers, and how many more there are."""
    text = ", ".join(map(str, numbers[:5]))
    return text if len(numbers) <= 5 else f"{text} and {len(numbers) - 5} more"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
