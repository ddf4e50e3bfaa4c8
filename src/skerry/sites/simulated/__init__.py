"""The simulated site: the reference twin of every real driver.

It keeps each rule of the contract and passes the same suite, but nothing runs: a task is a small
state machine that reads a script (``script``), and time is a number (``clock``): the host's own,
a faster one, or one that a test moves by hand. There is no coroutine per workload, only one heap
of timers, so that 10,000 workloads cost little more than their events.

- ``world`` is the site itself: room, workloads, events, fences. All of its verbs are plain
  functions that take no time and touch nothing outside.
- ``journal`` keeps what was asked of a world in a file. Since a world is deterministic, reading
  the file again gives the same world, with everything that happened while nobody watched.
- ``faults`` are what real sites do to us: silence, lost answers, late and doubled events.
- ``driver`` is the contract around a world, with the faults in between.

What a workload does is said by its variable ``SKERRY_SIM`` (the steps of ``script``); without it
the site pretends that the command ran for ``runSeconds``, and says so in its log.
"""

from skerry.sites.contract import Manifest
from skerry.sites.simulated.config import read
from skerry.sites.simulated.driver import Simulated

MANIFEST = Manifest(
    name="simulated",
    title="Simulated site",
    capabilities=frozenset({"Images", "Reach", "Usage", "Volumes", "Workloads"}),
    isolations=("process", "sandbox", "vm"),
    open=Simulated.open,
    check=read,
)
