"""A decision as text: why here, who else, why not the others."""

from collections.abc import Mapping
from typing import Any

from skerry.cli import formats, output


def decision_text(found: Mapping[str, Any]) -> str:
    """What ``match`` decided. Whatever form it has, all of it is told."""
    rest = dict(found)
    lines: list[str] = []
    chosen = rest.pop("chosen", None)
    currency = _currency(found)
    if chosen:
        lines.append(f"Here:  {_choice(chosen, currency)}")
    elif "chosen" in found or "refused" in found:
        lines.append("Here:  nowhere; no offer serves it")
    if rest.get("policyInWords"):
        lines.append(f"Rules: {rest.pop('policyInWords')}")
    runner = rest.pop("runnerUp", None)
    if runner:
        lines.append(f"Next:  {_choice(runner, currency)}")
    if "considered" in rest:
        seen = formats.counted(rest.pop("considered"), "offer")
        lines.append(f"Seen:  {seen}, of which {rest.pop('eligible', 0)} would do")
    refused = rest.pop("refused", None) or {}
    if refused:
        lines.append("Refused:")
        ordered = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
        lines += [f"  {count:>5}  {reason}" for reason, count in ordered]
    nearest = rest.pop("nearest", None) or []
    if nearest:
        lines.append("Nearest that were refused:")
        lines += [f"  {line}" for near in nearest for line in _near(near, currency)]
    return "\n".join([*lines, *output.described(rest)])


def _currency(found: Mapping[str, Any]) -> str:
    chosen = found.get("chosen") or {}
    price = chosen.get("price") or {}
    return str(found.get("currency") or price.get("currency") or "")


def place_text(place: Mapping[str, Any] | None) -> str:
    """``attic (home, DE; operated by ann)``; unknown is said, never guessed."""
    if not place:
        return "unknown"
    inner = ", ".join(str(place[k]) for k in ("region", "jurisdiction") if place.get(k))
    operator = f"operated by {place['operator']}" if place.get("operator") else ""
    words = "; ".join(filter(None, (inner, operator)))
    return f"{place.get('site') or 'unknown site'}{f' ({words})' if words else ''}"


def _choice(choice: Mapping[str, Any], currency: str) -> str:
    price = choice.get("price") or {}
    hourly = price.get("perHour", choice.get("pricePerHourNano"))
    money = f", {formats.money(hourly, currency)}/h" if isinstance(hourly, int) else ""
    offer = f", offer {choice['offer']}" if choice.get("offer") else ""
    isolation = f", {choice['isolation']}" if choice.get("isolation") else ""
    return f"{place_text(choice.get('place'))}{money}{isolation}{offer}"


def _near(near: Mapping[str, Any], currency: str) -> list[str]:
    hourly = near.get("perHour")
    price = f", {formats.money(hourly, currency)}/h" if isinstance(hourly, int) else ""
    name = place_text(near.get("place")) if near.get("place") else str(near.get("offer", "?"))
    whys = [str(f.get("words") or f.get("reason", "")) for f in near.get("failures") or ()]
    return [f"{name}{price}", *(f"  - {why}" for why in whys)]
