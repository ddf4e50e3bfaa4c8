"""What a path means.

Paths alternate between words and names: ``/providers/{provider}/{version}/tenants/t/workspaces/w/
jobs/j/logs``. The words are looked up in the registry, the deepest kind that fits wins, and what
stands behind an item is an action, a view or a channel of its kind.
"""

import msgspec

from skerry.api.metered import all_views
from skerry.kernel.channels import Channel
from skerry.kernel.errors import NotFound
from skerry.kernel.kinds import Action, Kind, Registry
from skerry.kernel.paths import Path
from skerry.kernel.views import View

_SCOPED = {"global": 0, "tenant": 1, "workspace": 2}
"""How many names of a path are its scope's."""


class Target(msgspec.Struct, frozen=True):
    """A collection (no name), an item, or an action, view or channel of an item."""

    kind: Kind
    path: Path
    action: Action | None = None
    view: View | None = None
    channel: Channel | None = None
    rest: str = ""

    @property
    def route(self) -> str:
        """The path's template: what stands in logs for all paths of its form."""
        item = "/{name}" if self.path.name else ""
        way = self.action or self.view or self.channel
        return f"/providers/{self.kind.route}{item}{f'/{way.name}' if way else ''}"


class Routes:
    """All paths of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._kinds: dict[tuple[str, str, tuple[str, ...]], Kind] = {}
        for kind in registry.kinds:
            words = tuple(p for p in kind.route.split("/")[2:] if not p.startswith("{"))
            self._kinds[(kind.provider, kind.version, words)] = kind

    def find(self, path: str) -> Target:
        """The meaning of a path below ``/providers/``. Raises ``NotFound``."""
        target = self.known(path)
        if target is None:
            raise NotFound(
                f"there is nothing at /providers/{path[:200]}",
                hint="GET /openapi.json describes every path.",
            )
        return target

    def known(self, path: str) -> Target | None:
        """The same; None where no kind has such a path."""
        provider, _, rest = path.partition("/")
        version, _, rest = rest.partition("/")
        parts = rest.removesuffix("/").split("/") if rest else []
        words, names = tuple(parts[::2]), tuple(parts[1::2])
        for depth in range(len(words), 0, -1):
            kind = self._kinds.get((provider, version, words[:depth]))
            if kind is not None:
                return self._within(kind, depth, parts, names)
        return None

    def _within(
        self, kind: Kind, depth: int, parts: list[str], names: tuple[str, ...]
    ) -> Target | None:
        scoped = _SCOPED[kind.scope]
        where = Path(
            names[0] if scoped else "",
            names[1] if scoped == 2 else "",
            names[scoped : depth - 1],
            names[depth - 1] if len(names) >= depth else "",
        )
        behind = parts[2 * depth :]
        if not behind:
            return Target(kind, where)
        word, rest = behind[0], "/".join(behind[1:])
        action = next((a for a in kind.actions if a.name == word and not rest), None)
        view = next((v for v in all_views(kind) if v.name == word and (v.deep or not rest)), None)
        channel = next((c for c in kind.channels if c.name == word and not rest), None)
        if action is None and view is None and channel is None:
            return None
        return Target(kind, where, action, view, channel, rest)
