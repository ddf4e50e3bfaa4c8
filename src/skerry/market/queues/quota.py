"""Shares of a cohort, and what is used of them.

Amounts are integers under the names of resources: ``millicores``, ``memory`` (bytes), ``gpus``, and
``gpus:MODEL`` where a queue has a share of one model. What a queue has no line for is not limited.

A queue may always use its *nominal* amount, and beyond it what others of the cohort leave unused,
up to its borrowing limit. Of what it leaves unused itself it lends up to its lending limit; the
rest is *kept* for it alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skerry.market import gpus

Amounts = Mapping[str, int]
GPUS = "gpus"
SCALE = 1_000_000
"""Of shares: a millionth of a cohort."""


@dataclass(frozen=True)
class Line:
    """A queue's share of one resource. None: no limit."""

    nominal: int
    borrow: int | None = None
    lend: int | None = None

    @property
    def kept(self) -> int:
        """What nobody else may use, even while it is idle."""
        return 0 if self.lend is None else max(0, self.nominal - self.lend)


@dataclass(frozen=True)
class Queue:
    """What of a queue matters here. ``cohort`` is empty where it lends and borrows nothing."""

    key: str
    cohort: str
    lines: Mapping[str, Line]
    weight: int = 1
    patience: float = 600.0
    """Seconds one that must borrow is passed over before what is free is kept for it."""
    reclaim: str = "any"
    preempt: str = "lower-priority"

    @property
    def models(self) -> tuple[str, ...]:
        """The GPU models it has shares of, in their order."""
        return tuple(n.partition(":")[2] for n in self.lines if n.startswith(f"{GPUS}:"))


@dataclass(frozen=True)
class Want:
    """What an entry asks for, with all its tasks."""

    millicores: int = 0
    memory: int = 0
    gpus: int = 0
    models: tuple[str, ...] = ()
    """Any of these GPU models; empty: any."""

    def ways(self, queue: Queue) -> tuple[tuple[str, Amounts], ...]:
        """The ways in which a queue can count it: (GPU model it must then have, amounts). None if
        the queue has shares of models, and none of one that would do."""
        base = {"millicores": self.millicores, "memory": self.memory, GPUS: self.gpus}
        base = {name: amount for name, amount in base.items() if amount}
        models = queue.models if self.gpus else ()
        if not models:
            return (("", base),)
        fitting = [m for m in models if not self.models or any(_alike(m, a) for a in self.models)]
        return tuple((m, {**base, f"{GPUS}:{m}": self.gpus}) for m in fitting)


def _alike(share: str, asked: str) -> bool:
    return gpus.same(asked, share) or gpus.same(share, asked)


def counted(millicores: int, memory: int, gpus: int, model: str) -> Amounts:
    """What an admitted entry uses, as ``Want.ways`` counted it."""
    amounts = {"millicores": millicores, "memory": memory, GPUS: gpus}
    if model and gpus:
        amounts[f"{GPUS}:{model}"] = gpus
    return amounts


@dataclass(frozen=True)
class Short:
    """A resource of which a queue can't give enough just now."""

    resource: str
    needed: int
    nominal: int
    used: int
    borrowable: int
    """How much more than its nominal amount it could have just now, beyond what it uses."""


class Book:
    """What the queues of one cohort use. ``shared`` belongs to none of them."""

    def __init__(self, queues: Iterable[Queue], shared: Amounts | None = None) -> None:
        self.queues = {queue.key: queue for queue in queues}
        self.used: dict[str, dict[str, int]] = {key: {} for key in self.queues}
        self.lent: dict[str, int] = {}
        """Used of what the cohort has together: beyond what each keeps for itself."""
        self.total: dict[str, int] = dict(shared or {})
        self.nominal: dict[str, int] = dict(shared or {})
        for queue in self.queues.values():
            for name, line in queue.lines.items():
                self.total[name] = self.total.get(name, 0) + line.nominal - line.kept
                self.nominal[name] = self.nominal.get(name, 0) + line.nominal

    def copy(self) -> "Book":
        other = Book(())
        other.queues, other.total, other.nominal = self.queues, self.total, self.nominal
        other.used = {key: dict(used) for key, used in self.used.items()}
        other.lent = dict(self.lent)
        return other

    def take(self, key: str, amounts: Amounts) -> None:
        """Count amounts, whether they fit or not: what is admitted is used."""
        self._change(key, amounts, 1)

    def give(self, key: str, amounts: Amounts) -> None:
        self._change(key, amounts, -1)

    def _change(self, key: str, amounts: Amounts, sign: int) -> None:
        used, lines = self.used[key], self.queues[key].lines
        for name, amount in amounts.items():
            line = lines.get(name)
            if line is None:
                continue
            before = used.get(name, 0)
            used[name] = before + sign * amount
            more = max(0, used[name] - line.kept) - max(0, before - line.kept)
            self.lent[name] = self.lent.get(name, 0) + more

    def fits(self, key: str, amounts: Amounts) -> bool:
        """Whether a queue can admit so much now."""
        return not self.short(key, amounts)

    def short(self, key: str, amounts: Amounts) -> list[Short]:
        """What stands in the way."""
        queue, used, found = self.queues[key], self.used[key], []
        for name, amount in amounts.items():
            line = queue.lines.get(name)
            if line is not None and amount > (free := self._free(queue, line, name)):
                now = used.get(name, 0)
                more = max(0, free - max(0, line.nominal - now))
                found.append(Short(name, amount, line.nominal, now, more))
        return found

    def _free(self, queue: Queue, line: Line, name: str) -> int:
        """How much more of a resource a queue can use now."""
        now = self.used[queue.key].get(name, 0)
        room = max(0, line.kept - now) + max(0, self.total[name] - self.lent.get(name, 0))
        if not queue.cohort:
            return min(room, line.nominal - now)
        return room if line.borrow is None else min(room, line.nominal + line.borrow - now)

    def within(self, key: str, amounts: Amounts) -> bool:
        """Whether a queue would stay within its nominal amounts."""
        used = self.used[key]
        return all(
            used.get(name, 0) + amount <= line.nominal
            for name, amount in amounts.items()
            if (line := self.queues[key].lines.get(name)) is not None
        )

    def possible(self, key: str, amounts: Amounts) -> bool:
        """Whether a queue could admit so much if nothing else were used."""
        queue = self.queues[key]
        for name, amount in amounts.items():
            line = queue.lines.get(name)
            if line is None:
                continue
            most = line.kept + self.total[name] if queue.cohort else line.nominal
            if queue.cohort and line.borrow is not None:
                most = min(most, line.nominal + line.borrow)
            if amount > most:
                return False
        return True

    def share(self, key: str, amounts: Amounts | None = None) -> int:
        """The dominant share of what a queue borrows, with ``amounts`` more: of the resource of
        which it borrows the largest part of the cohort's, in millionths, divided by its weight."""
        queue, used, more = self.queues[key], self.used[key], amounts or {}
        most = 0
        for name, line in queue.lines.items():
            beyond = used.get(name, 0) + more.get(name, 0) - line.nominal
            if beyond > 0:
                most = max(most, beyond * SCALE // max(1, self.nominal[name]))
        return most // queue.weight

    def room(self, amounts: Amounts, before: Amounts) -> int | None:
        """At most how many of such amounts the whole cohort could admit now, if ``before`` is
        admitted first; None: no limit."""
        most: int | None = None
        for name, amount in amounts.items():
            if name in self.nominal:
                used = before.get(name, 0)
                used += sum(one.get(name, 0) for one in self.used.values())
                fit = max(0, self.nominal[name] - used) // amount
                most = fit if most is None else min(most, fit)
        return most
