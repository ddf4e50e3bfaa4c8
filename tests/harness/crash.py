"""Kill a worker at any moment of any step, and see that nothing tells.

A *life* is one resource from its first put to its removal. It is lived once undisturbed, and every
moment at which a kill could strike is noted; then it is lived again for each of them, killed there,
and finished by another worker; and once more with every step done twice. Whatever was seen at each
stage of the undisturbed life must be seen again, and nothing may be left over.

Nothing here knows a product: the lives of a registry are made from the declarations of its kinds
(``life_of``), and a test that knows more of a kind gives a ``Life`` of its own.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from skerry.kernel.errors import Conflict
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind, Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.worker import Worker
from skerry.store import Database
from tests.harness.samples import sample

Moment = tuple[str, str, str]
"""Noun, step and what had just happened: claimed, ran, written, committed."""

ROUNDS = 60
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AT = Path("acme", "prod")


class Killed(BaseException):
    """Strikes like kill -9: nothing after it runs."""


class Reaper:
    """Notes moments, and kills at the n-th if told one. Once a step is committed, its worker is
    not killed but loses the connection: it can't know whether it was."""

    def __init__(self, at: int | None = None) -> None:
        self.moments: list[Moment] = []
        self._at = at

    async def __call__(self, noun: str, step: str, moment: str) -> None:
        self.moments.append((noun, step, moment))
        if self._at == len(self.moments) - 1:
            if moment == "committed":
                raise asyncpg.ConnectionDoesNotExistError("the connection was lost")
            raise Killed


class Stutter(Reaper):
    """Kills every step once when it has acted and nothing tells of it, so that each is repeated."""

    def __init__(self, inside: Collection[tuple[str, str]]) -> None:
        super().__init__()
        self._inside = inside
        self._again: set[tuple[str, str]] = set()
        self.struck: set[tuple[str, str]] = set()

    async def __call__(self, noun: str, step: str, moment: str) -> None:
        at = noun, step
        if moment != ("written" if at in self._inside else "ran"):
            return
        if at in self._again:
            self._again.remove(at)
            return
        self._again.add(at)
        self.struck.add(at)
        raise Killed


async def _nothing() -> None:
    return None


async def _no_trace(root: Resource) -> None:
    return None


@dataclass
class Rig:
    """Where lives are lived. ``services`` opens the outside anew for each of them; ``turn`` lets it
    go on between two rounds of work; ``left`` is what it holds at the end, equal for every life."""

    db: Database
    resources: Resources
    services: Callable[[], Services]
    turn: Callable[[], Awaitable[None]] = _nothing
    left: Callable[[Resource], Awaitable[Any]] = _no_trace
    at: Path = AT


@dataclass(frozen=True)
class Life:
    """What happens to a resource between its first put and its removal."""

    kind: Kind
    spec: Mapping[str, Any]
    """Of the first put."""
    changed: Mapping[str, Any] | None = None
    """The spec of a second put; None where every field is immutable."""
    actions: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    """The names of the resources it lives in, which exist already."""
    hasty: bool = False
    """Ask for the next thing before the last one is done."""


def life_of(kind: Kind, above: tuple[str, ...] = (), *, hasty: bool = False) -> Life:
    """A life made from the declaration alone: the least spec, the same again, each action that
    takes no body, removal."""
    spec = sample(kind)
    actions = tuple(action.name for action in kind.actions if action.spec is None)
    return Life(kind, spec, spec, actions, above, hasty)


def flows(registry: Registry) -> list[Kind]:
    """The kinds of a registry whose lives can be interrupted."""
    return [kind for kind in registry.kinds if kind.flow is not None]


async def killed_everywhere(
    rig: Rig, life: Life, *, few: Callable[[list[Moment]], list[int]] | None = None
) -> list[Moment]:
    """Live undisturbed, then killed at each moment, or at those that ``few`` picks, then with each
    step repeated. Says which moments there were."""
    watched = Reaper()
    expected = await live(rig, life, watched, "undisturbed")
    steps = set(life.kind.flow.steps) if life.kind.flow else set()
    met = {step for noun, step, _ in watched.moments if noun == life.kind.noun}
    assert met, f"{life.kind.noun}: no step was run"
    assert met <= steps
    for at in few(watched.moments) if few else range(len(watched.moments)):
        seen = await live(rig, life, Reaper(at), f"killed-{at}")
        assert seen == expected, f"killed at {watched.moments[at]}: {seen} instead of {expected}"
    acted = {(noun, step) for noun, step, moment in watched.moments if moment == "ran"}
    stutter = Stutter({(noun, step) for noun, step, _ in watched.moments} - acted)
    seen = await live(rig, life, stutter, "repeated")
    assert seen == expected, f"with each step done twice: {seen} instead of {expected}"
    missed = {at for at in acted if at[0] == life.kind.noun} - stutter.struck
    assert not missed, f"not repeated: {missed}"
    return watched.moments


def one_for_each_step(moments: list[Moment]) -> list[int]:
    """The moments that tell most: each step once, when it has acted and nothing tells of it yet."""
    acted = {(noun, step) for noun, step, moment in moments if moment == "ran"}
    found: dict[tuple[str, str], int] = {}
    for at, (noun, step, moment) in enumerate(moments):
        if moment == ("ran" if (noun, step) in acted else "written"):
            found.setdefault((noun, step), at)
    return list(found.values())


async def live(rig: Rig, life: Life, reaper: Reaper, name: str) -> list[Any]:
    """One life; what was seen at its stages, without what differs from life to life."""
    db, resources = rig.db, rig.resources
    path = Path(rig.at.tenant, rig.at.workspace, life.above, name)
    services = rig.services()
    before = await _quotas(db)
    seen: list[Any] = []

    async def stage(what: str) -> None:
        if not life.hasty:
            await settle(rig, services, reaper, AtRest(rig))
            seen.append((what, await _tree(rig, root.uid, name)))

    async def put(spec: Mapping[str, Any]) -> Resource:
        async with db.transaction() as tx:
            body = {"spec": dict(spec)}
            return (await resources.put(tx, life.kind, path, body, SYSTEM)).resource

    root = await put(life.spec)
    await stage("made")
    if life.changed is not None:
        await put(life.changed)
        await stage("changed")
    for action in life.actions:
        try:
            async with db.transaction() as tx:
                await resources.act(tx, root, action, None, SYSTEM)
        except Conflict as refused:
            seen.append((action, _unnamed(refused.detail, name)))
        await stage(action)
    async with db.transaction() as tx:
        await resources.delete(tx, root, SYSTEM)
    await settle(rig, services, reaper, lambda: _gone(db, root))
    await _assert_nothing_left(db, root)
    assert await _quotas(db) == before, "the quota's count is off"
    seen.append(("left", await rig.left(root)))
    return seen


async def settle(
    rig: Rig, services: Services, reaper: Reaper, settled: Callable[[], Awaitable[bool]]
) -> None:
    """Work until there is nothing to do; after a kill, another worker takes over.

    Between two rounds leases run out and naps end: any flow may be woken at any time.
    """
    worker = Worker(rig.db, rig.resources, services, probe=reaper)
    for _ in range(ROUNDS):
        worker = await _worked(worker, rig, services, reaper)
        await rig.turn()
        await rig.db.execute("update flow set lease_until = null")
        if await settled():
            return
        await rig.db.execute("update flow set wake_at = skerry_now() where step <> 'rest'")
    rows = await rig.db.fetch("select kind, step, tries, problem from flow")
    raise AssertionError(f"still busy: {[tuple(row) for row in rows]}")


async def _worked(worker: Worker, rig: Rig, services: Services, reaper: Reaper) -> Worker:
    """Work while anything is due; the worker that is alive at the end."""
    for _ in range(ROUNDS):
        try:
            await worker.drain()
        except Killed:
            worker = Worker(rig.db, rig.resources, services, probe=reaper)
            await rig.db.execute("update flow set lease_until = null")
        else:
            return worker
    raise AssertionError("killed again and again")


class AtRest:
    """Whether every flow is where it may stay, and nothing has changed since the last look."""

    def __init__(self, rig: Rig) -> None:
        self._db = rig.db
        self._steady = {
            (kind.noun, step.name)
            for kind in flows(rig.resources.registry)
            for step in (kind.flow.steps.values() if kind.flow else ())
            if step.steady
        }
        self._before: list[Any] = []

    async def __call__(self) -> bool:
        rows = await self._db.fetch(
            "select f.kind, f.step, f.wake_at <= skerry_now() as due, r.uid, r.version"
            " from flow f join resource r using (uid) order by r.uid"
        )
        if any(row["due"] or (row["kind"], row["step"]) not in self._steady for row in rows):
            self._before = []
            return False
        now = [(row["uid"], row["version"]) for row in rows]
        same = now == self._before or all(row["step"] == "rest" for row in rows)
        self._before = now
        return same


async def _gone(db: Database, root: Resource) -> bool:
    alive = await db.fetchval(
        "select count(*) from resource where root_uid = $1 and deleted_at is null", root.uid
    )
    return bool(alive == 0)


async def _tree(rig: Rig, root: Any, name: str) -> list[tuple[str, str, str, str]]:
    """The resource and all that it owns: kind, name, state and phase."""
    rows = await rig.db.fetch(
        "select kind, name, state, status from resource where root_uid = $1 and deleted_at is null",
        root,
    )
    return sorted(
        (r["kind"], _unnamed(r["name"], name), r["state"], str(r["status"].get("phase", "")))
        for r in rows
    )


def _unnamed(text: str, name: str) -> str:
    """Without what differs from life to life: the life's own name, and made-up ids."""
    return _UUID.sub("#", text).replace(name, "*")


async def _quotas(db: Database) -> dict[tuple[str, str], int]:
    rows = await db.fetch("select tenant, kind, used from quota_use where used <> 0")
    return {(row["tenant"], row["kind"]): row["used"] for row in rows}


_OF_ROOT = "select uid from resource where root_uid = $1"


async def _assert_nothing_left(db: Database, root: Resource) -> None:
    for table, column in (
        ("flow", "uid"), ("sealed", "uid"), ("reference", "from_uid"), ("reference", "to_uid")
    ):  # fmt: skip
        statement = f"select count(*) from {table} where {column} in ({_OF_ROOT})"
        assert await db.fetchval(statement, root.uid) == 0, f"rows left in {table}"
    alerts = await db.fetch(
        "select a.reason from alert a join resource r on r.ref = a.subject"
        " where r.root_uid = $1 and a.cleared_at is null",
        root.uid,
    )
    assert not alerts, f"alerts left open: {[a['reason'] for a in alerts]}"
    await assert_each_version_was_recorded_once(db, root)


async def assert_each_version_was_recorded_once(db: Database, root: Resource) -> None:
    """The log tells of each version of each resource of the tree, once."""
    rows = await db.fetch(
        "select r.ref, r.version as last, array_agg(c.version order by c.version) as versions"
        " from resource r join change c on c.kind = r.kind and c.subject = r.ref"
        " and c.body::jsonb ->> 'uid' = r.uid::text"
        " where r.root_uid = $1 group by r.uid",
        root.uid,
    )
    assert rows
    for row in rows:
        assert row["versions"] == list(range(1, row["last"] + 1)), row["ref"]
