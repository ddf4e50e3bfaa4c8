"""Issuing tokens: who may make one for whom, and what is logged of it.

Whoever holds a token is its subject. So issuing one takes the right to change that subject, unless
it is oneself, and a token that is narrowed by scopes issues none: the new one could do more.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from skerry.identity import tokens
from skerry.identity.authenticate import forget_after
from skerry.identity.authorize import Principal, can, target_of
from skerry.identity.specs import TokenSpec
from skerry.kernel import changes
from skerry.kernel.errors import Forbidden, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import from_row, snapshot
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.identity")


class TokenHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(TokenSpec)
        subject = old.status["subject"] if old else _subject_of(spec, new.tenant, by)
        _may_issue(resources, new.tenant, subject, by)
        account = await self._account(tx, resources, new.tenant, subject)
        expires_at = spec.expires_at
        if expires_at is None and spec.ttl_seconds:
            expires_at = new.created_at + timedelta(seconds=spec.ttl_seconds)
        status = {"subject": subject, "expiresAt": expires_at and stamp(expires_at)}
        forget_after(tx)
        if old is not None:
            await tx.execute(_sql.extend_token, new.uid, expires_at)
            return Admitted(status=status)
        secret = tokens.mint("user" if account.kind == "user" else "service")
        status["fingerprint"] = tokens.fingerprint(tokens.digest(secret))
        scopes = new.spec.get("scopes") or ()
        await tokens.keep(
            tx, secret, account.uid, expires_at=expires_at, resource=new.uid, scopes=scopes
        )
        return Admitted(status=status, once={"secret": secret})

    @staticmethod
    async def _account(tx: Tx, resources: Resources, tenant: str, subject: str) -> Resource:
        collection, _, name = subject.partition("/")
        kind = resources.registry[collection.removesuffix("s")]
        found = await resources.find(tx, ref_of(kind, Path(tenant=tenant, name=name)))
        if found is None:
            raise ValidationError.at(
                "/spec/subject",
                f"there is no {subject} in tenant {tenant!r}",
                "Give the name of a user, or service-accounts/NAME.",
            )
        return found

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        await tx.execute(_sql.drop_token, resource.uid)
        forget_after(tx)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows = await tx.fetch(_sql.tokens_used, [one.uid for one in page])
        return {row["uid"]: {"lastUsedAt": stamp(row["last_used_at"])} for row in rows}


@changes.witness("token")
async def _rebuild(tx: Tx, ref: str) -> dict[str, Any] | None:
    """A token's resource, with what the table that lets people in says of it."""
    row = await tx.fetchrow(_sql.newest_of, ref)
    if row is None:
        return None
    body = snapshot(from_row(row))
    if row["deleted_at"] is not None:
        return body
    kept = await tx.fetchrow(_sql.token_as_kept, row["uid"])
    if kept is None:
        return None
    body["status"] |= {
        "subject": f"{kept['kind']}s/{kept['name']}",
        "expiresAt": kept["expires_at"] and stamp(kept["expires_at"]),
        "fingerprint": tokens.fingerprint(kept["digest"]),
    }
    if kept["scopes"] != (body["spec"].get("scopes") or []):
        body["spec"]["scopes"] = kept["scopes"]
    return body


def _subject_of(spec: TokenSpec, tenant: str, by: Caller) -> str:
    """``users/NAME`` or ``service-accounts/NAME``: whose token it is to be."""
    if not spec.subject:
        if isinstance(by.principal, Principal) and by.principal.tenant == tenant:
            return by.principal.subject
        raise ValidationError.at(
            "/spec/subject", "whose token is it to be?", "Name a user of the tenant."
        )
    if spec.subject.startswith(("users/", "service-accounts/")):
        return spec.subject
    return f"users/{spec.subject}"


def _may_issue(resources: Resources, tenant: str, subject: str, by: Caller) -> None:
    """Raise ``Forbidden`` if they may not. Skerry itself (no principal) may."""
    principal = by.principal
    if not isinstance(principal, Principal):
        return
    if principal.grants.narrowed:
        raise Forbidden(
            "A token with scopes can't issue tokens.", hint="Use one without scopes, or log in."
        )
    collection, _, name = subject.partition("/")
    kind = resources.registry[collection.removesuffix("s")]
    myself = (principal.tenant, principal.subject) == (tenant, subject)
    if not myself and not can(principal, "put", target_of(kind, Path(tenant=tenant, name=name))):
        raise Forbidden(
            f"You may not issue tokens for {subject}.",
            hint=f"That takes put on {subject} of {kind.provider}.",
        )
