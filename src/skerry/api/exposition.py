"""Metrics in Prometheus' text format, and what the server counts of itself."""

import time
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Own:
    """What this process counts of itself: requests to the API, and its own processor and memory."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter(
            "skerry_api_requests", "Requests to the API, by method and status",
            ("method", "code"), registry=self.registry,
        )  # fmt: skip
        self._answers: dict[tuple[str, int], Counter] = {}
        self._seconds = Histogram(
            "skerry_api_request_seconds", "Seconds until an answer began",
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip

    def answered(self, method: str, status: int, began: float) -> None:
        """An answer begins. ``began`` is ``time.perf_counter()`` when the request came."""
        # Methods are the client's words: only those there are make a series.
        known = method if method in ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH") else "other"
        counter = self._answers.get((known, status))
        if counter is None:
            counter = self._answers[known, status] = self._requests.labels(known, str(status))
        counter.inc()
        self._seconds.observe(time.perf_counter() - began)

    def text(self) -> str:
        return generate_latest(self.registry).decode()


def labels(of: Mapping[str, object]) -> str:
    """A sample's labels as they stand behind its name."""
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in of.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def family(name: str, sort: str, help: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
    """The lines of one metric; none if it has no sample. Samples are labels and a value; of two
    with the same labels the first counts. ``sort`` is ``gauge`` or ``counter``."""
    seen: set[str] = set()
    for where, value in samples:
        if value != value or where in seen:
            continue
        if not seen:
            yield f"# HELP {name} {help}\n# TYPE {name} {sort}\n"
        seen.add(where)
        yield f"{name}{where} {value:.17g}\n"
