"""What identity's kinds do inside the transaction of a request.

None of them has work outside the database, so none has a flow: a tenant, a user, a role or a token
is what it is as soon as its row is written.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.identity import joining, passwords
from skerry.identity.authenticate import forget_after
from skerry.identity.authorize import Principal
from skerry.identity.roles import is_verb
from skerry.identity.specs import (
    RoleAssignmentSpec,
    RoleSpec,
    ServiceAccountSpec,
    SetPassword,
    TenantSpec,
    UserSpec,
)
from skerry.identity.tenants import STAKES
from skerry.kernel.errors import Conflict, Forbidden, Problem, Source, ValidationError
from skerry.kernel.hooks import SYSTEM, Admitted, Caller, Hooks
from skerry.kernel.paths import OPERATOR_TENANT, SCOPE_LIMIT, Path, check_name, ref_of
from skerry.kernel.resources import Resource, Resources
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.identity")

RESERVED = ("seca.", "skerry.")
"""Names that only Skerry gives."""
MOST_GLOBS = 1024
"""Resources over all permissions of a role, so that a decision stays a matter of microseconds."""

SECA_PROVIDERS = frozenset(
    {
        "seca.activitylog",
        "seca.authorization",
        "seca.compute",
        "seca.kubernetes",
        "seca.loadbalancer",
        "seca.natgateway",
        "seca.network",
        "seca.objectstorage",
        "seca.region",
        "seca.storage",
        "seca.workspace",
    }
)
"""A role may speak of any of these, served here or not (SECA's foundation and extensions)."""
_VERSION = re.compile(r"v\d+((alpha|beta)\d+)?")


def _not_reserved(new: Resource, by: Caller) -> None:
    if new.name.startswith(RESERVED) and by is not SYSTEM:
        raise ValidationError.at(
            "/metadata/name",
            f"{new.kind} names that start with {' or '.join(RESERVED)} are Skerry's own",
            "Use another name.",
        )


def _plain_name(new: Resource) -> None:
    """Names of subjects have no dot: what follows one in a token's name is that token's label."""
    check_name(new.name, limit=SCOPE_LIMIT)
    if "." in new.name:
        raise ValidationError.at(
            "/metadata/name",
            f"{new.kind} names have no dot: {new.name!r}",
            "Use letters, digits and '-'.",
        )


class TenantHooks(Hooks):
    """A tenant starts with a user ``admin`` who may do everything in it, but who has neither
    password nor token until an operator gives one."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        check_name(new.name, limit=SCOPE_LIMIT)
        if new.name == OPERATOR_TENANT and new.typed(TenantSpec).suspended:
            raise Conflict(
                "The operator's tenant can't be suspended: nobody could undo it.",
                hint="Disable the users concerned instead.",
            )
        forget_after(tx)
        return Admitted()

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        if old is not None or new.name == OPERATOR_TENANT:
            return
        path = Path(tenant=new.name)
        await resources.put(tx, resources.registry["user"], path.named("admin"), {}, SYSTEM)
        await assign(tx, resources, path.named("skerry.admin"), "seca.admin", "users/admin")
        for stake in STAKES:
            await stake.begun(tx, resources, new)

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        if resource.name == OPERATOR_TENANT:
            raise Conflict("The operator's tenant can't be deleted.")
        for stake in STAKES:
            await stake.leaving(tx, resources, resource, by)
        for row in await tx.fetch(_sql.identity_of_tenant, resource.name):
            await resources.delete(tx, await resources.by_uid(tx, row["uid"]), by)
        forget_after(tx)


async def assign(
    tx: Tx, resources: Resources, path: Path, role: str, subject: str, **scope: list[str]
) -> None:
    """Give a built-in role to one subject, in Skerry's own name."""
    spec = {"roles": [role], "subs": [subject], "scopes": [scope]}
    kind = resources.registry["role-assignment"]
    await resources.put(tx, kind, path, {"spec": spec}, SYSTEM)


class SubjectHooks(Hooks):
    """Users and service accounts."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        _plain_name(new)
        if _last_operator(new) and new.spec.get("disabled"):
            raise _locked_out("disabled")
        if new.kind == "service-account":
            _check_trusts(new.typed(ServiceAccountSpec))
        if new.kind == "user" and (email := new.typed(UserSpec).email):
            await tx.execute(_sql.lock_tenant, new.tenant)
            other = await tx.fetchval(_sql.email_taken, new.tenant, email.lower(), new.name)
            if other is not None:
                raise Conflict(
                    f"{email} is the address of user {other!r} already",
                    sources=[Source(pointer="/spec/email")],
                )
        forget_after(tx)
        return Admitted()

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        """Whoever gets the name next gets no token, password or workspace of the one before.

        Assignments that somebody wrote go on naming it: SECA binds them by name.
        """
        if _last_operator(resource):
            raise _locked_out("deleted")
        subject = f"{resource.kind}s/{resource.name}"
        for row in await tx.fetch(_sql.goes_with, resource.uid, resource.tenant, subject):
            await resources.delete(tx, await resources.by_uid(tx, row["uid"]), by)
        await tx.execute(_sql.drop_sessions, resource.uid)
        await tx.execute(_sql.drop_password, resource.uid)
        await tx.execute(_sql.drop_factor, resource.uid)
        await tx.execute(_sql.drop_user_links, resource.uid)
        await tx.execute(_sql.drop_links_of, resource.uid)
        forget_after(tx)

    async def act(
        self, tx: Tx, resources: Resources, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any] | None:
        if action == "reset-password":
            return await joining.reset(tx, resources, resource, by)
        own = isinstance(by.principal, Principal) and (
            (by.principal.tenant, by.principal.subject)
            == (resource.tenant, f"users/{resource.name}")
        )
        if action == "drop-second-factor":
            if own and not by.operator:
                raise Forbidden(
                    "Whoever drops their own second factor shows that they have it.",
                    hint="skerry login --drop-second-factor; or ask another administrator.",
                )
            await tx.execute(_sql.drop_factor, resource.uid)
            return {}
        assert action == "set-password"
        assert isinstance(body, SetPassword)
        old = await tx.fetchval(_sql.password_of, resource.uid)
        if own and old is not None and not await passwords.matches(old, body.current):
            raise Forbidden(
                "The present password is wrong.",
                hint="Send it in `current`, or ask an administrator to set a new one.",
            )
        if body.password in (resource.name, resource.spec.get("email")):
            raise ValidationError.at(
                "/password", "The password is your name.", "Choose one to be guessed less."
            )
        await passwords.set_password(tx, resource.uid, body.password)
        return {}

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        users = [one.uid for one in page if one.kind == "user"]
        rows = await tx.fetch(_sql.ways_in_of, users) if users else []
        return {
            row["uid"]: {"hasPassword": row["password"], "hasSecondFactor": row["factor"]}
            for row in rows
        }


def _check_trusts(spec: ServiceAccountSpec) -> None:
    for index, trust in enumerate(spec.trusts):
        if not trust.subject.strip("*") and not any(v.strip("*") for v in trust.claims.values()):
            raise ValidationError.at(
                f"/spec/trusts/{index}/subject",
                "everybody whom the issuer knows would be trusted",
                "Say whom: repo:acme/site:ref:refs/heads/main, or a claim of theirs.",
            )


def _last_operator(resource: Resource) -> bool:
    return (resource.tenant, resource.kind, resource.name) == (OPERATOR_TENANT, "user", "operator")


def _locked_out(what: str) -> Problem:
    return Conflict(
        f"The user 'operator' can't be {what}: it is the way back in.",
        hint="Delete its tokens instead; the machine's administrator can make a new one.",
    )


class RoleHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        _not_reserved(new, by)
        known = SECA_PROVIDERS | {provider for provider, _ in resources.registry.providers}
        spec = new.typed(RoleSpec)
        if sum(len(permission.resources) for permission in spec.permissions) > MOST_GLOBS:
            raise ValidationError.at(
                "/spec/permissions",
                f"a role names at most {MOST_GLOBS} resources over all its permissions",
                "Use globs, or make two roles of it.",
            )
        for index, permission in enumerate(spec.permissions):
            at = f"/spec/permissions/{index}"
            name, slash, version = permission.provider.partition("/")
            if name not in known or (slash and not _VERSION.fullmatch(version)):
                raise ValidationError.at(
                    f"{at}/provider",
                    f"there is no provider {permission.provider!r}",
                    f"Providers: {', '.join(sorted(known))}.",
                )
            for number, verb in enumerate(permission.verb):
                if not is_verb(verb):
                    raise ValidationError.at(
                        f"{at}/verb/{number}",
                        f"{verb!r} is not a verb",
                        "Verbs: get, list, put, delete, post, post.<action>.",
                    )
        forget_after(tx)
        return Admitted()

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        forget_after(tx)


class RoleAssignmentHooks(Hooks):
    """Roles, subjects and places are bound late (SECA): an assignment may come before them."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        _not_reserved(new, by)
        spec = new.typed(RoleAssignmentSpec)
        if spec.not_before and spec.not_after and spec.not_before >= spec.not_after:
            raise ValidationError.at(
                "/spec/notAfter",
                "an assignment ends after it begins",
                "Give a notAfter later than notBefore.",
            )
        forget_after(tx)
        return Admitted()

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        if (resource.tenant, resource.name) == (OPERATOR_TENANT, "skerry.operator"):
            raise _locked_out("stripped of its role")
        forget_after(tx)


class WorkspaceHooks(Hooks):
    """Whoever creates a workspace gets ``seca.workspace-admin`` in it, by an assignment that
    anyone who manages roles can delete, and that goes with the workspace."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        check_name(new.name, limit=SCOPE_LIMIT)
        return Admitted()

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        principal = by.principal
        if old is None and isinstance(principal, Principal) and principal.tenant == new.tenant:
            await assign(
                tx, resources, self._owner(new), "seca.workspace-admin", principal.subject,
                workspaces=[new.name],
            )  # fmt: skip

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        kind = resources.registry["role-assignment"]
        owner = await resources.find(tx, ref_of(kind, self._owner(resource)))
        if owner is not None:
            await resources.delete(tx, owner, by)

    @staticmethod
    def _owner(workspace: Resource) -> Path:
        return Path(tenant=workspace.tenant, name=f"skerry.owner.{workspace.name}")

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows = await tx.fetch(_sql.count_in_workspaces, [one.uid for one in page])
        return {row["uid"]: {"resourceCount": row["count"]} for row in rows}
