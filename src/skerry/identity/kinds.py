"""The kinds of identity: SECA's roles, role assignments and workspaces, and ours beside them."""

from skerry.identity import hooks, issuing, specs
from skerry.identity.issuers import ISSUER
from skerry.identity.joining import INVITATION
from skerry.identity.limits import QUOTA
from skerry.kernel.kinds import Action, Column, Kind

_SET_PASSWORD = Action(
    "set-password",
    "Set a new password and end the sessions opened with the old one",
    specs.SetPassword,
    secrets=("password", "current"),
)

_RESET_PASSWORD = Action(
    "reset-password",
    "Make a link by which they set a new password: mailed, or shown where no mail is sent",
)
_DROP_FACTOR = Action(
    "drop-second-factor",
    "Let them go on with the password alone, as after a lost phone",
)

KINDS = [
    QUOTA,
    ISSUER,
    INVITATION,
    Kind(
        provider="skerry.identity",
        collection="tenants",
        noun="tenant",
        summary="A customer of this cloud, with users, workspaces and bills of its own",
        parent="global",
        spec=specs.TenantSpec,
        hooks=hooks.TenantHooks(),
        regional=False,
        operator_only=True,
        columns=(
            Column("TITLE", "spec.displayName"),
            Column("SUSPENDED", "spec.suspended"),
        ),
    ),
    Kind(
        provider="skerry.identity",
        collection="users",
        noun="user",
        summary="A person who works in a tenant",
        parent="tenant",
        spec=specs.UserSpec,
        status=specs.UserStatus,
        actions=(_SET_PASSWORD, _RESET_PASSWORD, _DROP_FACTOR),
        hooks=hooks.SubjectHooks(),
        quota=10_000,
        regional=False,
        columns=(
            Column("EMAIL", "spec.email"),
            Column("DISABLED", "spec.disabled"),
            Column("PASSWORD", "status.hasPassword", wide=True),
            Column("SECOND FACTOR", "status.hasSecondFactor", wide=True),
        ),
    ),
    Kind(
        provider="skerry.identity",
        collection="service-accounts",
        noun="service-account",
        summary="A program that works in a tenant",
        parent="tenant",
        spec=specs.ServiceAccountSpec,
        hooks=hooks.SubjectHooks(),
        quota=1_000,
        regional=False,
        columns=(
            Column("DESCRIPTION", "spec.description"),
            Column("DISABLED", "spec.disabled"),
        ),
    ),
    Kind(
        provider="skerry.identity",
        collection="tokens",
        noun="token",
        summary="A secret by which a user or service account proves who it is, shown once",
        parent="tenant",
        spec=specs.TokenSpec,
        status=specs.TokenStatus,
        immutable=("subject", "scopes"),
        hooks=issuing.TokenHooks(),
        quota=10_000,
        regional=False,
        columns=(
            Column("SUBJECT", "status.subject"),
            Column("EXPIRES", "status.expiresAt"),
            Column("LAST USED", "status.lastUsedAt"),
            Column("DESCRIPTION", "spec.description", wide=True),
        ),
    ),
    Kind(
        provider="seca.authorization",
        collection="roles",
        noun="role",
        summary="A list of permissions, to be given to users by role assignments",
        parent="tenant",
        spec=specs.RoleSpec,
        hooks=hooks.RoleHooks(),
        quota=1_000,
        regional=False,
    ),
    Kind(
        provider="seca.authorization",
        collection="role-assignments",
        noun="role-assignment",
        summary="Roles given to subjects within scopes",
        parent="tenant",
        spec=specs.RoleAssignmentSpec,
        hooks=hooks.RoleAssignmentHooks(),
        quota=10_000,
        regional=False,
        columns=(
            Column("ROLES", "spec.roles"),
            Column("SUBJECTS", "spec.subs"),
        ),
    ),
    Kind(
        provider="seca.workspace",
        collection="workspaces",
        noun="workspace",
        summary="A room for resources, within which they find each other by name",
        parent="tenant",
        spec=specs.WorkspaceSpec,
        status=specs.WorkspaceStatus,
        hooks=hooks.WorkspaceHooks(),
        quota=1_000,
        columns=(Column("RESOURCES", "status.resourceCount"),),
    ),
]
