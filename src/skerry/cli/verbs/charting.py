"""What something used, as text: a line for each series, drawn with blocks."""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.cli import formats, output

POINTS = 60
"""As many as fit beside the figures on a usual terminal."""
_BLOCKS = "▁▂▃▄▅▆▇█"
_TITLES = ("SERIES", "", "LAST", "MEAN", "PEAK")


def metrics_text(found: Mapping[str, Any]) -> str:
    """All series of an answer; with ``by=task`` those of each task below. A gap is a time of which
    nothing is known."""
    start, end = (formats.moment(str(found.get(key, ""))) for key in ("from", "to"))
    step = formats.duration(found.get("step") or 0)
    lines = [f"{start} to {end}, {step} a point", *_chart(found.get("series") or ())]
    for task in found.get("tasks") or ():
        lines += ["", f"[{task.get('rank')}] {task.get('workload')} at {task.get('at')}"]
        lines += _chart(task.get("series") or ())
    return "\n".join(lines)


def _chart(series: Sequence[Mapping[str, Any]]) -> list[str]:
    if not series:
        return ["nothing is known of that time"]
    return output.lines(_TITLES, [_row(one) for one in series])


def _row(series: Mapping[str, Any]) -> list[str]:
    values: list[float | None] = series["values"]
    known = [value for value in values if value is not None]
    peaks = [value for value in series.get("peaks") or () if value is not None]
    name, unit = str(series["name"]), str(series["unit"])
    figures = (
        (known[-1], sum(known) / len(known), max(peaks or known)) if known else (None, None, None)
    )
    return [name, spark(values), *(quantity(value, unit) for value in figures)]


def spark(values: Sequence[float | None], most: int = POINTS) -> str:
    """One letter for a value (or for the mean of several, if there are more than ``most``), in
    eighths of the highest; a blank for none."""
    each = -(-len(values) // most) or 1
    points = [_mean(values[i : i + each]) for i in range(0, len(values), each)]
    highest = max((point for point in points if point is not None), default=0.0)
    return "".join(" " if point is None else _block(point, highest) for point in points)


def _block(value: float, highest: float) -> str:
    share = value / highest if highest > 0 else 0.0
    return _BLOCKS[min(max(int(share * 8), 0), 7)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def quantity(value: float | None, unit: str) -> str:
    """A value in its unit: ``1.25``, ``1.5 GiB``, ``20 KiB/s``, ``93 %``, ``12/s``, ``40 ms``."""
    if value is None:
        return "-"
    match unit:
        case "bytes":
            return formats.size(round(value))
        case "bytes/s":
            return f"{formats.size(round(value))}/s"
        case "ratio":
            return f"{value * 100:.0f} %"
        case "seconds":
            return formats.duration(value)
        case "requests/s":
            return f"{_digits(value)}/s"
    return _digits(value)


def _digits(value: float) -> str:
    """Three digits that count: ``0.0312``, ``1.25``, ``1500``."""
    if value == 0:
        return "0"
    text = f"{value:.3g}" if 0.001 <= abs(value) < 1000 else f"{value:.0f}"
    return text if text != "0" else "<0.001"
