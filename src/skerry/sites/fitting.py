"""What an agent of another version can be asked.

Server and agents are updated one after the other, so each must get on with the other's last
version. A field that an agent does not know it would leave out without a word: a workload would
run without its volume. So an agent tells which verbs and fields it knows (``Hello``), and what is
beyond them is refused on this side, in words. Fields at their default ask for nothing.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from skerry.sites.contract import Refused

KNOWN_TO_1: Mapping[str, tuple[str, ...]] = {
    "Workload": (
        "id", "tenant", "command", "resources", "tasks", "image", "env", "secret_env", "files",
        "artifacts", "ports", "isolation", "network", "time_limit", "grace", "restart",
        "max_restarts", "log_bytes", "labels",
    ),
    "Resources": ("millicores", "memory", "gpus", "gpu_model", "disk", "pids"),
    "File": ("path", "digest", "size", "mode"),
    "Port": ("name", "port", "protocol"),
}  # fmt: skip
"""What agents of protocol 1 know, which do not say it."""

VERBS_OF_1 = frozenset(
    (
        "capacity", "has_blobs", "upload", "apply", "list", "watch", "delete", "signal", "stats",
        "files", "download", "logs", "exec", "connect",
    )
)  # fmt: skip


def fields(types: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """The fields of every struct within these types, by the struct's name."""
    found: dict[str, tuple[str, ...]] = {}
    for one in types:
        found |= _fields(one)
    return found


@cache
def _fields(type: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    waiting = [msgspec.inspect.type_info(type)]
    while waiting:
        info: Any = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls.__name__ in found:
                continue
            found[info.cls.__name__] = tuple(field.name for field in info.fields)
            waiting += [field.type for field in info.fields]
            continue
        for part in ("item_type", "key_type", "value_type"):
            if (inner := getattr(info, part, None)) is not None:
                waiting.append(inner)
        for part in ("item_types", "types"):
            waiting += getattr(info, part, ())
    return found


def unknown(value: Any, known: Mapping[str, tuple[str, ...]]) -> str:
    """A field of the value that asks for something and is not known; empty if there is none."""
    if isinstance(value, msgspec.Struct):
        names = known.get(type(value).__name__, ())
        for field in msgspec.structs.fields(value):
            inner = getattr(value, field.name)
            if field.name not in names:
                if not _is_default(field, inner):
                    return f"{type(value).__name__}.{field.name}"
            elif found := unknown(inner, known):
                return found
    elif isinstance(value, tuple | list):
        return next(filter(None, (unknown(one, known) for one in value)), "")
    return ""


def _is_default(field: msgspec.structs.FieldInfo, value: Any) -> bool:
    if field.default is not msgspec.NODEFAULT:
        return bool(value == field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return False


class Fit:
    """What may be asked of one agent. ``version`` is the agent's, for the words."""

    def __init__(
        self, version: str, verbs: Iterable[str], known: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._version = version
        self._verbs = frozenset(verbs)
        self._known = known

    @classmethod
    def of(
        cls,
        version: str,
        protocol: int,
        verbs: Iterable[str],
        known: Mapping[str, tuple[str, ...]],
    ) -> "Fit":
        if protocol < 2:
            return cls(version, VERBS_OF_1, KNOWN_TO_1)
        return cls(version, verbs, known)

    def check(self, verb: str, args: tuple[Any, ...]) -> None:
        """Refuse (``Unsupported``) what the agent would not understand."""
        if verb not in self._verbs:
            self._refuse(f"can't {verb.replace('_', ' ')}")
        for arg in args:
            if beyond := unknown(arg, self._known):
                self._refuse(f"knows nothing of {beyond}")

    def can(self, verb: str) -> bool:
        return verb in self._verbs

    def _refuse(self, what: str) -> None:
        raise Refused(
            "Unsupported",
            f"the host's agent is of version {self._version or 'unknown'} and {what}: update "
            "Skerry on the host",
        )
