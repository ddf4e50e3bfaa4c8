"""What to do next with a service's pods. Pure: no clock, no database.

The rules, of which the first that holds wins where two differ:

- As many pods serve as are wanted, as far as the old revision and the new one together can.
- At most ``surge`` pods more than wanted are there, not counting those on their way out.
- A pod that must leave its place is as good as one of an old revision: it serves until another
  does.
- What serves nobody (of an old revision, and not ready) goes at once.
- Where only one may be there at a time (``alone``: it writes to a volume), the old one goes first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pod:
    name: str
    number: int
    """Grows from pod to pod."""
    revision: int
    ready: bool = False
    unheard: bool = False
    """Its site is out of contact: it may serve or not."""
    over: bool = False
    """It has failed or was stopped, and will not come back by itself."""
    leaving: bool = False
    """It must leave its place."""
    retiring: bool = False
    """It is on its way out."""


@dataclass(frozen=True)
class Plan:
    create: int = 0
    """So many pods of the wanted revision."""
    retire: tuple[str, ...] = ()
    """Pods to send on their way out."""
    serve: tuple[str, ...] = ()
    """Pods that the route leads to."""


def plan(
    pods: Iterable[Pod], *, wanted: int, revision: int, surge: int = 1, alone: bool = False
) -> Plan:
    """The next step towards ``wanted`` pods of ``revision``."""
    pods = sorted(pods, key=lambda pod: pod.number)
    gone = [pod for pod in pods if pod.over and not pod.retiring]
    alive = [pod for pod in pods if not pod.over and not pod.retiring]
    fresh = [pod for pod in alive if pod.revision == revision and not pod.leaving]
    old = [pod for pod in alive if pod not in fresh]
    retire = [*gone, *_surplus(fresh, wanted), *_replaced(fresh, old, wanted, alone)]
    there = [pod for pod in alive if pod not in retire]
    fresh = [pod for pod in fresh if pod not in retire]
    create = max(0, min(wanted - len(fresh), wanted + surge - len(there)))
    if alone and (len(there) > len(fresh) or any(pod.retiring for pod in pods) or retire):
        create = 0
    serve = [pod for pod in there if pod.ready] or [pod for pod in there if pod.unheard]
    return Plan(create, _names(retire), _names(serve))


def _surplus(fresh: Sequence[Pod], wanted: int) -> list[Pod]:
    """Of too many, those that are not ready go first, then the youngest."""
    first = sorted(fresh, key=lambda pod: (pod.ready, pod.unheard, -pod.number))
    return first[: max(0, len(fresh) - wanted)]


def _replaced(fresh: Sequence[Pod], old: Sequence[Pod], wanted: int, alone: bool) -> list[Pod]:
    """Of the old ones, those that are not needed any more."""
    if alone or not wanted:
        return list(old)
    serving = [pod for pod in old if pod.ready]
    unheard = [pod for pod in old if pod.unheard and not pod.ready]
    idle = [pod for pod in old if not pod.ready and not pod.unheard]
    ready = min(sum(pod.ready for pod in fresh), wanted)
    # Those that must go anyway are the first, then the oldest.
    serving.sort(key=lambda pod: (not pod.leaving, pod.number))
    gone = serving[: max(0, len(serving) + ready - wanted)]
    left = len(serving) - len(gone)
    return [*idle, *gone, *unheard[: max(0, len(unheard) + left + ready - wanted)]]


def _names(pods: Iterable[Pod]) -> tuple[str, ...]:
    return tuple(pod.name for pod in pods)
