"""SECA's history of states: ``status.conditions``, newest first.

A new resource goes pending, creating, active; a change goes updating, active; each step is one
condition. The list is capped where SECA caps it, the oldest dropped.
"""

import re
from datetime import datetime
from typing import Any, Literal

State = Literal["pending", "creating", "active", "updating", "deleting", "error"]
Condition = dict[str, Any]

MOST_CONDITIONS = 32
_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC, as it stands in JSON documents."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def condition(state: State, at: datetime, reason: str = "", message: str = "") -> Condition:
    """One entry. ``reason`` is one CamelCase word, ``message`` a sentence."""
    if reason and not _REASON.fullmatch(reason):
        raise ValueError(f"{reason!r} is not a SECA condition reason")
    entry: Condition = {"state": state, "lastTransitionAt": stamp(at)}
    if reason:
        entry["reason"] = reason[:1024]
    if message:
        entry["message"] = message[:32768]
    return entry


def grown(
    history: list[Condition], *states: State, at: datetime, reason: str = "", message: str = ""
) -> list[Condition]:
    """``history`` after going through ``states`` in order."""
    new = [condition(s, at, reason, message) for s in reversed(states)]
    return [*new, *history][:MOST_CONDITIONS]
