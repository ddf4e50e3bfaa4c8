"""Secrets for what is about to start."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.secrets import store
from skerry.products.run.secrets.specs import SecretRef
from skerry.store import Tx


class MissingSecret(Exception):
    """A secret that something needs is not there, or lacks what it is asked for."""


@dataclass(frozen=True)
class Given:
    """What a workload gets of secrets."""

    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """By absolute path."""


async def resolve(
    tx: Tx, resources: Resources, owner: Resource, refs: Iterable[SecretRef]
) -> Given:
    """The values that ``refs`` name in the owner's workspace. Raises ``MissingSecret``."""
    given = Given()
    opened: dict[str, tuple[int, dict[int, store.Values]]] = {}
    for ref in refs:
        if ref.secret not in opened:
            opened[ref.secret] = await _open(tx, resources, owner, ref.secret)
        current, kept = opened[ref.secret]
        values = kept.get(ref.version or current)
        if values is None:
            raise MissingSecret(
                f"secret {ref.secret!r} has no version {ref.version} any more: it keeps "
                f"{min(kept)} to {max(kept)}"
            )
        if ref.key not in values:
            raise MissingSecret(
                f"secret {ref.secret!r} has no value {ref.key!r}, but {', '.join(sorted(values))}"
            )
        if ref.env:
            given.env[ref.env] = values[ref.key]
        if ref.path:
            given.files[ref.path] = values[ref.key]
    return given


async def login(tx: Tx, resources: Resources, owner: Resource, name: str) -> tuple[str, str]:
    """``username`` and ``password`` of a secret, for a registry. Raises ``MissingSecret``."""
    current, kept = await _open(tx, resources, owner, name)
    values = kept[current]
    missing = [key for key in ("username", "password") if key not in values]
    if missing:
        raise MissingSecret(
            f"secret {name!r} has no value {missing[0]!r}: a registry's has username and password"
        )
    return values["username"], values["password"]


async def _open(
    tx: Tx, resources: Resources, owner: Resource, name: str
) -> tuple[int, dict[int, store.Values]]:
    kind = resources.registry["secret"]
    ref = resources.ref(kind, Path(owner.tenant, owner.workspace, (), name))
    secret = await resources.find(tx, ref)
    if secret is None:
        raise MissingSecret(f"there is no secret {name!r} in workspace {owner.workspace!r}")
    known = await store.index(tx, resources, secret)
    return known[0].version, await store.versions(tx, resources, secret)
