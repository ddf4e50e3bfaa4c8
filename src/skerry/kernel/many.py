"""Many resources put at once, in as few statements as one, by the server itself."""

from collections.abc import Mapping
from typing import Any

from skerry.kernel import admission
from skerry.kernel.hooks import Caller
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import Path, check_name
from skerry.kernel.resources import Resource, Resources
from skerry.store import Tx


async def put_all(
    resources: Resources,
    tx: Tx,
    kind: Kind,
    bodies: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, Resource],
    by: Caller,
) -> None:
    """Create or replace, by name, resources of a global kind without a flow, a quota, references
    and secrets, whose hooks have ``all_written``. ``known`` are those that are there, locked."""
    assert kind.scope == "global"
    assert kind.hooks is not None
    assert not any((kind.flow, kind.quota, kind.refs, kind.secrets))
    made: list[Resource] = []
    changed: list[Resource] = []
    for name, body in bodies.items():
        check_name(name)
        sent, old = admission.admit(kind, body, frozenset()), known.get(name)
        new = resources.merged(kind, Path(name=name), sent, old, None, by, await tx.now())
        new.status.update((await kind.hooks.admit(tx, resources, new, old, by)).status)
        (made if old is None else changed).append(new)
    await resources.write_all(tx, made, changed, by)
    await kind.hooks.all_written(tx, resources, [*made, *changed], by)
