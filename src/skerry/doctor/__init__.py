"""``skerry doctor``: what is wrong with a cloud and its machine, and what to do about it.

It looks at the machine (``machine``), at the data directory (``directory``) and at the database
(``database``), and needs no server: it is there for when that does not start. It changes nothing.
Each thing it looks at is one ``Finding``, good ones too, so that a person sees what was looked at;
each bad one says what to do. What breaks something now, or will at the next start, is *broken*;
what may later is a *warning*.
"""

from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "note", "warning", "broken"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str
    """A word or two: disk, clock, engines."""
    message: str
    remedy: str = ""
    """What to do; only good ones have none."""


@dataclass
class Report:
    """Findings in the order in which they were made."""

    findings: list[Finding] = field(default_factory=list)

    def ok(self, about: str, message: str) -> None:
        self.findings.append(Finding("ok", about, message))

    def note(self, about: str, message: str, remedy: str = "") -> None:
        self.findings.append(Finding("note", about, message, remedy))

    def warning(self, about: str, message: str, remedy: str) -> None:
        self.findings.append(Finding("warning", about, message, remedy))

    def broken(self, about: str, message: str, remedy: str) -> None:
        self.findings.append(Finding("broken", about, message, remedy))

    @property
    def breaks(self) -> bool:
        return any(finding.level == "broken" for finding in self.findings)
