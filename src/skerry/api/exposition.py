"""Metrics in Prometheus' text format, and what the server counts of itself."""

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"))
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Own:
    """What this process counts of itself: requests to the API, and its own processor and memory.

    Requests are counted by hand, because that is done for each of them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._answers: dict[tuple[str, int], int] = {}
        self._within = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0
        self.registry.register(self)

    def answered(self, method: str, status: int, began: float) -> None:
        """An answer begins. ``began`` is ``time.perf_counter()`` when the request came."""
        # Methods are the client's words: only those there are make a series.
        known = method if method in _METHODS else "other"
        self._answers[known, status] = self._answers.get((known, status), 0) + 1
        seconds = time.perf_counter() - began
        self._within[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """For the registry."""
        requests = CounterMetricFamily(
            "skerry_api_requests", "Requests to the API, by method and status",
            labels=("method", "code"),
        )  # fmt: skip
        for (method, status), count in self._answers.items():
            requests.add_metric((method, str(status)), count)
        yield requests
        counted = accumulate(self._within)
        buckets = list(zip((*map(str, _BUCKETS), "+Inf"), counted, strict=True))
        yield HistogramMetricFamily(
            "skerry_api_request_seconds", "Seconds until an answer began",
            buckets=buckets, sum_value=self._seconds,
        )  # fmt: skip

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
