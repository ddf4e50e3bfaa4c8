"""Series and logs: what everything used, and what it said, kept for a stated time.

**Samples.** Every 15 seconds each host is asked once for all that its tasks use, and each gateway
for the requests it has answered. Whoever speaks is a *source*, what it speaks of is a *subject*: a
task, the host itself, one of its GPUs, or a route. One row in ``tick`` holds all that a source said
at one instant, as arrays side by side, counters as they came: a write for each host, not for each
workload.

**Packing.** Twenty ticks make five minutes. They are then turned round: one row in ``sample`` for
each subject, with twenty points of each series, counters as growth per second, and the mean and the
peak of the five minutes beside them. Twelve such rows make an hour in ``rollup``, which keeps means
and peaks. A reader of one subject thus reads few rows, and what is not packed yet it lays out by
itself, with the same code. Ticks live for minutes, samples for a day, rollups for 90 days;
tables are partitioned by time, and what is too old is dropped with its partition.

**Unknown is not zero.** A point nobody measured is NaN in the tables and null in the API. A counter
that went back has begun again from zero. Instants are the database's, whatever a host's clock says.

**Logs.** Lines are kept in compressed pieces of a task's log, with an index of the words in them;
see ``logs`` and ``search``. They outlive their workload, for seven days or until the workspace has
written more than its share.

The package stores and answers; it asks nobody. What asks hosts is ``sites.sampler``.
"""

from skerry.series.recorder import Recorder
from skerry.series.requests import Requests
from skerry.series.ticks import STEP, Batch

__all__ = ["STEP", "Batch", "Recorder", "Requests"]
