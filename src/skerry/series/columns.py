"""What is measured: each series, its unit, and how it is summed up."""

from typing import Literal, NamedTuple


class Series(NamedTuple):
    """One thing that is measured of a task, a host or a route."""

    name: str
    """As in the API."""
    column: str
    """As in the tables."""
    unit: str
    counter: bool
    """It comes as a number that only grows, and is kept as its growth per second."""
    over_tasks: Literal["sum", "mean"]
    summary: str


SERIES = (
    Series("cpu", "cpu", "cores", True, "sum", "Cores busy"),
    Series("memory", "memory", "bytes", False, "sum", "Memory in use"),
    Series("received", "received", "bytes/s", True, "sum", "Bytes that came in from the network"),
    Series("sent", "sent", "bytes/s", True, "sum", "Bytes that went out to the network"),
    Series("gpu", "gpu", "ratio", False, "mean", "Share of its GPUs that is busy"),
    Series("gpuMemory", "gpu_memory", "bytes", False, "sum", "GPU memory in use"),
    Series("disk", "disk", "bytes", False, "sum", "Disk taken"),
    Series("requests", "requests", "requests/s", True, "sum", "Requests answered"),
    Series("failures", "failures", "requests/s", True, "sum", "Requests answered with 5xx"),
    Series("latency", "waited", "seconds", True, "sum", "Mean time to answer a request"),
)
"""In the order of the tables' columns. ``latency`` is kept as the seconds that all requests took
together, and shown divided by their number."""

COLUMNS = tuple(series.column for series in SERIES)
COUNTERS = frozenset(series.column for series in SERIES if series.counter)
BY_NAME = {series.name: series for series in SERIES}
OF_REQUESTS = frozenset(("requests", "failures", "latency"))
"""Counted by gateways, at routes; the others are measured where tasks run."""

TASKS = "tasks"
"""The name of one more series that is not kept but counted: how many tasks were seen."""
