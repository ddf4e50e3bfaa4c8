"""``authorize``: the one place where it is decided whether somebody may do something.

It reads nothing: the principal carries its grants (``roles.Grants``), and the answer follows from
those and the target alone. Denied unless allowed. A refusal never tells of a tenant or a workspace
in which the caller has no permission at all: there it is ``NotFound``, as if it did not exist;
elsewhere it is ``Forbidden`` and names the permission that is missing.

Beside what roles grant, a few things are everybody's own: to read one's own tenant and one's own
user or service account, to change one's own password, to manage one's own tokens (those named
``<user>.<label>``; user names have no dot), and to see which regions there are.
"""

import uuid
from dataclasses import dataclass, field
from functools import cached_property

from msgspec.structs import replace

from skerry.identity.roles import READ, Grants, Target
from skerry.kernel.errors import Forbidden, NotFound
from skerry.kernel.hooks import Caller
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import Path, relative

PROVIDER = "skerry.identity"

_SPREAD = {("seca.workspace", "workspaces"), (PROVIDER, "tokens")}
"""Collections of which one may see some items and not others."""


@dataclass(frozen=True)
class Principal:
    """Somebody who proved who they are."""

    tenant: str
    subject: str
    """``users/NAME`` or ``service-accounts/NAME``, a path below the tenant."""
    display_name: str = ""
    token_id: uuid.UUID | None = None
    grants: Grants = field(default_factory=Grants, repr=False)

    @property
    def is_operator(self) -> bool:
        """Whether they operate this cloud: everything, in every tenant."""
        return self.grants.operator

    @property
    def actor(self) -> str:
        """How records call them: ``alice@acme``, ``service-accounts/ci@acme``."""
        return f"{self.subject.removeprefix('users/')}@{self.tenant}"

    @cached_property
    def caller(self) -> Caller:
        """What the kernel's hooks see of them."""
        return Caller(self.actor, self.tenant, self.is_operator, self)


def target_of(kind: Kind, path: Path, region: str = "") -> Target:
    """The target of a request: an item if the path has a name, else the collection."""
    return Target(
        provider=f"{kind.provider}/{kind.version}",
        tenant=path.tenant,
        workspace=path.name if kind.noun == "workspace" else path.workspace,
        region=region,
        resource=relative(kind, path),
        operator_only=kind.operator_only,
        public=kind.public,
    )


def can(principal: Principal, verb: str, target: Target) -> bool:
    """Whether they may. For lists that show what the caller may see, and for hints."""
    verb = verb.lower()
    return principal.grants.allow(verb, target) or _own(principal, verb, target)


def authorize(principal: Principal, verb: str, target: Target) -> None:
    """Return if they may; else raise ``NotFound`` or ``Forbidden``.

    ``verb`` is get, list, put, delete or post.<action>. Raises nothing else and asks nobody.
    """
    if can(principal, verb, target):
        return
    if _secret(principal, verb.lower(), target):
        where = f"workspace {target.workspace!r} of " if target.workspace else ""
        raise NotFound(
            f"There is no {where}tenant {target.tenant!r}, or you may not know of it.",
            hint="Check the names, and whose token you are using.",
        )
    raise Forbidden(
        f"You ({principal.actor}) may not {verb} {target.resource} of {target.provider}.",
        hint=_remedy(verb, target),
    )


def authorize_list(principal: Principal, target: Target) -> bool:
    """Like ``authorize`` for the list of a collection: whether every item may be shown.

    If not, show those that ``can(principal, "get", …)`` lets through; there may be none.
    """
    if can(principal, "list", target):
        return True
    spread = (target.provider.partition("/")[0], target.resource) in _SPREAD
    authorize(principal, "list", replace(target, spread=spread))
    return False


def _own(principal: Principal, verb: str, target: Target) -> bool:
    """What is everybody's own, whatever their roles."""
    provider = target.provider.partition("/")[0]
    if target.public:
        return verb in READ
    narrowed = principal.grants.narrowed
    if provider != PROVIDER or (narrowed and not any(r.covers(target) for r in narrowed)):
        return False
    if target.resource == f"tenants/{principal.tenant}":
        return verb == "get"
    if target.tenant != principal.tenant or target.workspace:
        return False
    if target.resource == principal.subject:
        return verb == "get" or (verb == "post.set-password" and not narrowed)
    kind, _, name = principal.subject.partition("/")
    if kind != "users":
        return False
    if target.resource.startswith(f"tokens/{name}."):
        return verb in READ or (verb in ("put", "delete") and not narrowed)
    return target.resource == "tokens" and verb == "list" and target.spread


def _secret(principal: Principal, verb: str, target: Target) -> bool:
    """Whether that the target's tenant or workspace exists is none of the caller's business."""
    if not target.tenant:
        return False
    anywhere = Target(target.provider, target.tenant, spread=True)
    if target.tenant != principal.tenant and not principal.grants.know(anywhere):
        return True
    if not target.workspace or principal.grants.know(target):
        return False
    # Who asks for a new workspace has just said its name.
    return not (verb == "put" and target.resource == f"workspaces/{target.workspace}")


def _remedy(verb: str, target: Target) -> str:
    if not target.tenant or (target.guarded and verb not in READ):
        return "That takes an operator of this cloud: the role skerry.operator."
    scope = f" for workspace {target.workspace!r}" if target.workspace else ""
    return (
        f"Ask an administrator of tenant {target.tenant!r} for a role that allows "
        f"{verb} on {target.resource} of {target.provider}{scope}."
    )
