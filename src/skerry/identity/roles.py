"""Roles, assignments and scopes compiled into ``Grants``, which answer "may they?" by themselves.

The rules, all of SECA's but the last three:

- A permission allows a verb on a resource of its provider. ``seca.storage`` stands for every
  version of the provider, ``seca.storage/v1`` for that one. Verbs fold case; ``post`` covers every
  ``post.<action>``.
- Resources are globs on the path below the workspace (below the tenant, where there is none).
  ``*`` alone is everything; within a longer glob it stays inside one part of the path, so
  ``networks/*`` is every network but none of their subnets (``networks/*/subnets/*``). Listing is
  asked of the collection: ``images`` allows it, and so does ``images/*``, which gives all its
  names away in any case.
- A scope covers a target if each dimension it names does. A target outside any workspace (a role,
  a user) is not covered by a scope that names workspaces.
- An assignment that names a role nobody made grants nothing by it, until somebody makes it.
- An assignment counts in the tenant it is kept in. Those of the tenant ``operator`` may name
  others, or ``*`` for all of them and for what belongs to no tenant.
- An assignment with ``notBefore`` or ``notAfter`` counts from then, until then.
- The built-in roles ``seca.workspace-*`` count only inside workspaces, ``seca.region-admin`` only
  for what belongs to a region, however wide the scope.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import msgspec

from skerry.identity.specs import Permission, RoleAssignmentSpec, RoleSpec, Scope
from skerry.kernel.paths import OPERATOR_TENANT

EVERYTHING = "*"

GATEKEEPERS = frozenset({"skerry.identity", "seca.authorization"})

READ = frozenset({"get", "list"})
VERBS = frozenset({"get", "list", "put", "delete", "post"})

_ACTION = re.compile(r"post\.[a-z0-9]([-a-z0-9]*[a-z0-9])?")

Within = Literal["anywhere", "tenant", "region", "workspace"]


def is_verb(text: str) -> bool:
    """Whether a permission may hold this verb, in whatever case."""
    folded = text.lower()
    return folded in VERBS or _ACTION.fullmatch(folded) is not None


def glob(pattern: str, path: str) -> bool:
    """Whether ``path`` is one that ``pattern`` means. Linear in their lengths: patterns are
    written by tenants, so a regular expression made of them could be made slow."""
    if pattern == EVERYTHING:
        return True
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(map(wild, wanted, given))


def wild(pattern: str, text: str) -> bool:
    """Whether the text is the pattern, in which each ``*`` stands for anything."""
    first, *rest = pattern.split("*")
    if not rest:
        return first == text
    *middle, last = rest
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


class Target(msgspec.Struct, frozen=True):
    """What somebody wants to act on.

    ``provider`` is ``name/version``. ``resource`` is the path below the workspace or tenant:
    ``instances/web`` for an item, ``instances`` for its collection. Something that belongs to no
    tenant, workspace or region has "" there; a workspace itself is inside itself.
    """

    provider: str
    tenant: str = ""
    workspace: str = ""
    region: str = ""
    resource: str = ""
    operator_only: bool = False
    """Only the operator may write it, whatever roles say."""
    public: bool = False
    """Everyone who is anyone may read it."""
    spread: bool = False
    """A list over all workspaces of the tenant: enough to may list in one of them, because each
    item is asked for again."""

    @property
    def guarded(self) -> bool:
        """Whether writing it takes an operator. Who may say who is who in the operator's tenant
        could make anybody an operator, so that is guarded, too."""
        return self.operator_only or (
            self.tenant == OPERATOR_TENANT and self.provider.partition("/")[0] in GATEKEEPERS
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One permission, ready to be asked."""

    provider: str
    version: str
    resources: tuple[str, ...]
    verbs: frozenset[str]
    unless: str = ""
    """A provider that ``*`` leaves out; only built-in roles have one."""

    @classmethod
    def of(cls, permission: Permission) -> "Rule":
        name, _, version = permission.provider.partition("/")
        verbs = frozenset(verb.lower() for verb in permission.verb)
        return cls(name, version, tuple(permission.resources), verbs)

    def allows(self, verb: str, target: Target) -> bool:
        name, _, version = target.provider.partition("/")
        if self.provider == EVERYTHING:
            if name == self.unless:
                return False
        elif self.provider != name or self.version not in ("", version):
            return False
        if verb not in self.verbs and not (verb.startswith("post.") and "post" in self.verbs):
            return False
        if EVERYTHING in self.resources:
            return True
        listing = verb == "list"
        return any(
            glob(pattern, target.resource)
            or (listing and pattern.endswith("/*") and glob(pattern[:-2], target.resource))
            for pattern in self.resources
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """A scope, ready to be asked. None: that dimension is not restricted."""

    tenants: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    workspaces: frozenset[str] | None = None

    @classmethod
    def of(cls, scope: Scope, tenants: frozenset[str] | None) -> "Reach":
        return cls(tenants, frozenset(scope.regions) or None, frozenset(scope.workspaces) or None)

    def covers(self, target: Target) -> bool:
        if self.tenants is not None and target.tenant not in self.tenants:
            return False
        if target.spread:
            return True
        return (self.regions is None or target.region in self.regions) and (
            self.workspaces is None or target.workspace in self.workspaces
        )


@dataclass(frozen=True, slots=True)
class Role:
    """A role, ready to be asked. ``within`` and ``operator`` are for the built-in ones."""

    rules: tuple[Rule, ...]
    within: Within = "anywhere"
    operator: bool = False
    summary: str = ""

    @classmethod
    def of(cls, spec: RoleSpec) -> "Role":
        return cls(tuple(Rule.of(permission) for permission in spec.permissions))

    def applies(self, target: Target) -> bool:
        """Whether the target is of the sort that this role is about at all."""
        if self.within == "anywhere":
            return True
        return bool(getattr(target, self.within)) or (target.spread and bool(target.tenant))


@dataclass(frozen=True, slots=True)
class Grant:
    """One assignment: every one of its roles in every one of its scopes."""

    roles: tuple[Role, ...]
    reaches: tuple[Reach, ...]
    since: datetime | None = None
    until: datetime | None = None

    def counts(self, now: datetime) -> bool:
        return (self.since is None or self.since <= now) and (
            self.until is None or now < self.until
        )


@dataclass(frozen=True)
class Grants:
    """All that one subject was given. ``narrowed`` are its token's scopes, if it has any."""

    grants: tuple[Grant, ...] = ()
    narrowed: tuple[Reach, ...] = ()

    def _roles_at(self, target: Target) -> Iterator[Role]:
        if self.narrowed and not any(reach.covers(target) for reach in self.narrowed):
            return
        for grant in self.grants:
            for reach in grant.reaches:
                if reach.covers(target):
                    yield from (role for role in grant.roles if role.applies(target))
                    break

    def allow(self, verb: str, target: Target) -> bool:
        """Whether some role in some scope allows it. ``verb`` is in lower case."""
        for role in self._roles_at(target):
            if role.operator or verb in READ or not target.guarded:
                for rule in role.rules:
                    if rule.allows(verb, target):
                        return True
        return False

    def know(self, target: Target) -> bool:
        """Whether they have any permission at all where the target is."""
        return any(True for _ in self._roles_at(target))

    @cached_property
    def operator(self) -> bool:
        """Whether these are an operator's grants: everything, in all tenants, not narrowed."""
        return not self.narrowed and any(
            any(role.operator for role in grant.roles) and Reach() in grant.reaches
            for grant in self.grants
        )

    def at(self, now: datetime) -> tuple["Grants", float | None]:
        """Those of them that count at this time, and after how many seconds others will."""
        turns = (turn for grant in self.grants for turn in (grant.since, grant.until))
        later = [turn for turn in turns if turn is not None and turn > now]
        if not later and all(grant.counts(now) for grant in self.grants):
            return self, None
        counting = tuple(grant for grant in self.grants if grant.counts(now))
        left = (min(later) - now).total_seconds() if later else None
        return Grants(counting, self.narrowed), left

    def narrow(self, scopes: Sequence[Scope]) -> "Grants":
        """The same grants for a token that has scopes of its own; none narrow nothing."""
        reaches = (Reach.of(scope, frozenset(scope.tenants) or None) for scope in scopes)
        return Grants(self.grants, tuple(reaches))


def _tenants(scope: Scope, home: str) -> frozenset[str] | None:
    """The tenants that a scope of an assignment kept in ``home`` can reach. None: all."""
    named = frozenset(scope.tenants) or frozenset({home})
    if home != OPERATOR_TENANT:
        return named & {home}
    return None if EVERYTHING in named else named


def compile_grants(
    home: str, assignments: Iterable[RoleAssignmentSpec], roles: Mapping[str, RoleSpec]
) -> Grants:
    """Grants of one subject of tenant ``home`` from the assignments that name it.

    ``roles`` are the tenant's own; names it lacks and that are not built in grant nothing. The
    operator's role is known only in the operator's tenant.
    """
    known = {name: Role.of(spec) for name, spec in roles.items()} | {
        name: role
        for name, role in SYSTEM_ROLES.items()
        if home == OPERATOR_TENANT or not role.operator
    }
    return Grants(
        tuple(
            Grant(
                tuple(known[name] for name in assignment.roles if name in known),
                tuple(Reach.of(scope, _tenants(scope, home)) for scope in assignment.scopes),
                assignment.not_before,
                assignment.not_after,
            )
            for assignment in assignments
        )
    )


def _all(*verbs: str, provider: str = EVERYTHING, unless: str = "") -> Rule:
    return Rule(provider, "", (EVERYTHING,), frozenset(verbs or VERBS), unless)


SYSTEM_ROLES: Mapping[str, Role] = {
    "skerry.operator": Role(
        (_all(),), operator=True, summary="Everything, wherever the operator's scopes reach"
    ),
    "skerry.auditor": Role((_all(*READ),), summary="Read everything, change nothing"),
    "seca.admin": Role(
        (_all(),), "tenant", summary="Everything in the tenant, its users and roles included"
    ),
    "seca.region-admin": Role(
        (_all(),), "region", summary="Everything that belongs to a region, workspaces included"
    ),
    "seca.workspace-admin": Role(
        (_all(),), "workspace", summary="Everything in workspaces, and the workspaces themselves"
    ),
    "seca.workspace-editor": Role(
        (_all(unless="seca.workspace"), _all(*READ, provider="seca.workspace")),
        "workspace",
        summary="Everything in workspaces, but not to change or delete the workspaces",
    ),
    "seca.workspace-viewer": Role(
        (_all(*READ),), "workspace", summary="Read everything in workspaces"
    ),
}
