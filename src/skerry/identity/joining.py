"""How people come in: invitations, and passwords that are set anew.

An invitation is a resource of the tenant, made by who may make users and give roles there; it can
give no more than its maker could. Its link is followed with a password or by signing in at an
issuer; then the user is made, with the roles of the invitation. Putting an invitation again that is
not accepted yet makes a new link.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta

from skerry import notices
from skerry.identity import attempts, links, passwords
from skerry.identity.authorize import Principal, can, target_of
from skerry.identity.specs import Identifier
from skerry.kernel.errors import Conflict, Forbidden, NotFound, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Column, Kind, Spec, Status
from skerry.kernel.paths import SCOPE_LIMIT, Path, check_name
from skerry.kernel.resources import Resource, Resources
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.identity")
RESET = timedelta(hours=1)
MOST_TRIES = 100
MOST_RESETS = 5
"""Of an address, and of a name, within ``attempts.WINDOW_SECONDS``."""
_UNFIT = re.compile(r"[^a-z0-9]+")


class InvitationSpec(Spec):
    email: Annotated[
        str,
        Meta(
            max_length=128,
            pattern=r"^[^@\s]+@[^@\s]+$",
            description="Who is invited: their address",
        ),
    ]
    user_name: Annotated[
        str, Meta(max_length=63, description="The user's name; by default made of the address")
    ] = ""
    display_name: Annotated[str, Meta(max_length=128, description="Name for people")] = ""
    roles: Annotated[list[Identifier], Meta(max_length=32, description="Roles that they get")] = []
    workspaces: Annotated[
        list[Identifier], Meta(max_length=256, description="Where the roles count; all if none")
    ] = []
    ttl_seconds: Annotated[
        int, Meta(ge=300, le=30 * 86_400, description="Seconds for which the link works")
    ] = 7 * 86_400


class InvitationStatus(Status):
    phase: Annotated[str, Meta(description="invited, accepted or expired")] = "invited"
    expires_at: Annotated[str, Meta(description="Until when the link works")] = ""
    user: Annotated[str, Meta(description="Who accepted it")] = ""


class InvitationHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(InvitationSpec)
        if old is not None and old.status.get("phase") == "accepted":
            raise Conflict(
                "This invitation was accepted already.", hint="Change the user, or invite anew."
            )
        _may_invite(resources, new.tenant, spec, by)
        if spec.user_name:
            check_name(spec.user_name, limit=SCOPE_LIMIT)
        await tx.execute(_sql.lock_tenant, new.tenant)
        other = await tx.fetchval(_sql.email_taken, new.tenant, spec.email.lower(), "")
        if other is not None:
            raise ValidationError.at(
                "/spec/email", f"{spec.email} is the address of user {other!r} already"
            )
        lasts = timedelta(seconds=spec.ttl_seconds)
        link = await links.make(tx, resources, new.tenant, lasts=lasts, invitation=new.uid)
        status = {"phase": "invited", "expiresAt": stamp(await tx.now() + lasts)}
        shown = await _send(
            tx, resources, "user.invited", new.tenant, spec.email, link,
            f"You are invited to {new.tenant}",
            f"{by.subject} invites you to work in {new.tenant}. Follow the link to accept; it works"
            " once.",
        )  # fmt: skip
        return Admitted(status=status, once=shown)

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        await tx.execute(_sql.drop_links_of, resource.uid)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        now = stamp(await tx.now())
        told = [(one.uid, one.status) for one in page]
        return {
            uid: {"phase": "expired"}
            for uid, status in told
            if status.get("phase") == "invited" and status.get("expiresAt", "") < now
        }


def _may_invite(resources: Resources, tenant: str, spec: InvitationSpec, by: Caller) -> None:
    """Who invites makes a user and gives roles: they must be allowed both."""
    principal = by.principal
    if not isinstance(principal, Principal):
        return
    wanted = ["user", *(["role-assignment"] if spec.roles else [])]
    for noun in wanted:
        kind = resources.registry[noun]
        target = target_of(kind, Path(tenant=tenant, name=spec.user_name or "invited"))
        if principal.grants.narrowed or not can(principal, "put", target):
            raise Forbidden(
                f"You may not invite: that takes put on {kind.collection} of {kind.provider}.",
                hint="Ask an administrator of the tenant.",
            )


async def _send(
    tx: Tx,
    resources: Resources,
    topic: str,
    tenant: str,
    to: str,
    link: str,
    subject: str,
    text: str,
) -> Mapping[str, Any]:
    """By mail; without, what whoever asked is shown."""
    if not await notices.mail_configured(tx):
        return {"link": link}
    await notices.post(
        tx, topic=topic, tenant=tenant, to=(to,), subject=subject, text=text, once=link,
        sealer=resources.sealer,
    )  # fmt: skip
    return {}


async def welcome(
    tx: Tx,
    resources: Resources,
    invitation: bytes | None,
    *,
    tenant: str = "",
    name: str = "",
    verified: str = "",
    display: str = "",
    roles: Sequence[str] = (),
) -> Mapping[str, Any]:
    """Make the user of an invitation, or of an issuer that may make users; the row of who it is.

    Raises ``NotFound`` or ``Gone`` if the invitation's link does not work.
    """
    found: Resource | None = None
    email, workspaces = verified, list[str]()
    if invitation is not None:
        row = await links.held(tx, invitation)
        if row["invitation_uid"] is None:
            raise NotFound("This link is no invitation.", hint="Follow it with a new password.")
        found = await resources.by_uid(tx, row["invitation_uid"], lock=True)
        spec = found.typed(InvitationSpec)
        tenant, email, roles, workspaces = found.tenant, spec.email, spec.roles, spec.workspaces
        name, display = spec.user_name or name or email, spec.display_name or display
    elif await tx.fetchval(_sql.email_taken, tenant, email, "") is not None:
        email = ""  # It stands for somebody already, whom this issuer does not speak for.
    chosen = await _free(tx, tenant, name.partition("@")[0])
    by = Caller(f"{chosen}@{tenant}", tenant)
    body = {k: v for k, v in {"email": email, "displayName": display}.items() if v}
    kind = resources.registry["user"]
    made = await resources.put(tx, kind, Path(tenant, name=chosen), {"spec": body}, by)
    if roles:
        scope = {"workspaces": list(workspaces)} if workspaces else {}
        given = {"roles": list(roles), "subs": [f"users/{chosen}"], "scopes": [scope]}
        at = Path(tenant, name=f"joined.{chosen}")
        await resources.put(tx, resources.registry["role-assignment"], at, {"spec": given}, by)
    if invitation is not None and found is not None:
        await tx.execute(_sql.use_link, invitation)
        accepted = {"phase": "accepted", "user": chosen}
        await resources.set_status(tx, found.uid, status=accepted, by=by)
    return {"uid": made.resource.uid, "name": chosen, "spec": body, "suspended": False}


async def _free(tx: Tx, tenant: str, wanted: str) -> str:
    """A name that no user has, and of which no assignment speaks that was somebody else's."""
    base = _UNFIT.sub("-", wanted.lower()).strip("-")[:40].strip("-") or "user"
    for number in range(1, 100):
        name = base if number == 1 else f"{base}-{number}"
        if not await tx.fetchval(_sql.name_taken, tenant, name):
            return name
    raise Conflict(f"There is no name like {base!r} left.", hint="Ask to be invited under another.")


async def follow(
    db: Database, resources: Resources, *, code: str, password: str, address: str
) -> Mapping[str, str]:
    """Follow a link with a password: accept the invitation, or set the new password.

    Answers tenant and user. Raises ``NotFound`` or ``Gone`` for the link, ``ValidationError`` for
    the password, ``TooManyRequests``.
    """
    await attempts.count(db, attempts.place(address, "entry"), MOST_TRIES)
    if not 12 <= len(password) <= 256:
        raise ValidationError.at("/password", "a password has 12 to 256 characters")
    digest = links.digest_of(code)
    async with db.transaction() as tx:
        await links.held(tx, digest)
    hash = await passwords.hashed(password)
    async with db.transaction() as tx:
        row = await links.held(tx, digest)
        if row["invitation_uid"] is not None:
            user = await welcome(tx, resources, digest)
            uid, name = user["uid"], str(user["name"])
        else:
            found = await resources.by_uid(tx, row["user_uid"])
            uid, name = found.uid, found.name
            await tx.execute(_sql.use_link, digest)
        if password in (name, name + "@" + str(row["tenant"])):
            raise ValidationError.at("/password", "the password is your name")
        await passwords.put_hash(tx, uid, hash)
        return {"tenant": str(row["tenant"]), "user": name}


async def reset(tx: Tx, resources: Resources, user: Resource, by: Caller) -> Mapping[str, Any]:
    """For an administrator: a link by which the user sets a new password."""
    email = user.spec.get("email")
    link = await links.make(tx, resources, user.tenant, lasts=RESET, user=user.uid)
    if not email:
        return {"link": link}
    return await _send(
        tx, resources, "user.password-reset", user.tenant, str(email), link,
        f"A new password for {user.tenant}",
        f"{by.subject} asks you to set a new password for {user.name}@{user.tenant}. The link works"
        " once, for an hour.",
    )  # fmt: skip


async def count_reset(db: Database, *, tenant: str, name: str, address: str) -> None:
    """Before ``send_reset``, for whoever is meant. Raises ``TooManyRequests``."""
    await attempts.count(db, attempts.place(address, "entry"), MOST_TRIES)
    await attempts.count(db, attempts.bucket("entry", f"{tenant}/{name.lower()}"), MOST_RESETS)


async def send_reset(db: Database, resources: Resources, *, tenant: str, name: str) -> None:
    """For whoever says that they forgot theirs: a mail goes to the address that is known, if there
    is one. To be done once the answer is out, so that its time says nothing of who exists."""
    async with db.transaction() as tx:
        row = await tx.fetchrow(_sql.user_to_reset, tenant, name.lower())
        if row is None or not await notices.mail_configured(tx):
            return
        user = await resources.by_uid(tx, row["uid"])
        try:
            await reset(tx, resources, user, Caller(f"{user.name}@{tenant}", tenant))
        except ValidationError:
            return  # an address that no mail can be sent to


INVITATION = Kind(
    provider="skerry.identity",
    collection="invitations",
    noun="invitation",
    summary="Somebody who is asked to work in a tenant, by a link that works once",
    parent="tenant",
    spec=InvitationSpec,
    status=InvitationStatus,
    immutable=("email",),
    hooks=InvitationHooks(),
    quota=1_000,
    regional=False,
    columns=(
        Column("EMAIL", "spec.email"),
        Column("PHASE", "status.phase"),
        Column("ROLES", "spec.roles"),
        Column("UNTIL", "status.expiresAt"),
        Column("USER", "status.user"),
    ),
)
