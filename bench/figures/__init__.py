"""Figures: what every benchmark prints, and how a run of all of them ends.

A figure is ours, beside a peer measured in the same run or a stated limit, and their ratio, which
is ours divided by theirs, with a bound: at most so much of it, or at least. It holds or is short.

    figures = Figures("api")
    figures.add("GET by id, CPU", 120.0, "µs", peer=("bare Starlette", 95.0), most=1.5)
    figures.add("a page of 100 of 25,000", 12.0, "ms", limit=50.0)
    figures.add("asks a second", 3_000.0, "/s", limit=2_000.0, least=1.0)
    sys.exit(figures.end())

``end`` writes the same lines as JSON to ``.bench/api.json``; `python -m bench.figures` runs all
benchmarks.
"""

import json
import os
import platform
from pathlib import Path

RESULTS = Path(os.environ.get("SKERRY_BENCH_RESULTS", ".bench"))


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    text = Path("/proc/cpuinfo").read_text("utf-8")
    models = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return {
        "cores": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


class Figures:
    """The figures of one benchmark, printed as they come."""

    def __init__(self, bench: str) -> None:
        self._bench = bench
        self._all: list[dict[str, object]] = []
        self._machine = machine()

    def add(
        self,
        name: str,
        ours: float,
        unit: str,
        *,
        limit: float | None = None,
        peer: tuple[str, float] | None = None,
        most: float | None = None,
        least: float | None = None,
    ) -> bool:
        """Print one figure against ``limit`` or ``peer`` (its name and figure); whether it holds.

        ``most`` or ``least`` bound the ratio of ours to theirs; without either, a limit is the
        most allowed and a peer's figure is only shown."""
        against, theirs = peer or ("limit", limit or 0.0)
        if most is None and least is None and limit is not None:
            most = 1.0
        nothing = float("inf") if ours else 1.0  # a limit of zero is kept by zero
        ratio = ours / theirs if theirs else nothing
        holds = (most is None or ratio <= most) and (least is None or ratio >= least)
        bound = f"at most {most:g}" if most is not None else ""
        bound = f"at least {least:g}" if least is not None else bound
        verdict = "holds" if holds else "short"
        self._all.append(
            {"name": name, "ours": ours, "unit": unit, "against": against, "theirs": theirs,
             "ratio": ratio, "bound": bound, "verdict": verdict}
        )  # fmt: skip
        print(
            f"{name:46} {_short(ours):>10} {unit:5} {against} {_short(theirs)}"
            f"  ratio {ratio:.3g}  {bound or 'shown only'}  {verdict if bound else ''}".rstrip(),
            flush=True,
        )
        return holds

    def end(self) -> int:
        """Write the figures down; 1 if one is short, else 0."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        record = {"bench": self._bench, "machine": self._machine, "figures": self._all}
        path = RESULTS / f"{self._bench}.json"
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return 1 if any(figure["verdict"] == "short" for figure in self._all) else 0


def _short(value: float) -> str:
    """Four figures, no exponents."""
    if value and abs(value) < 100:
        return f"{value:.4g}"
    return f"{value:,.0f}"
