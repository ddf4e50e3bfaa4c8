"""Issuers: who else's word counts for who somebody is, said by the operator.

An issuer signs in people (OpenID Connect's code flow; it has a client id), programs (their tokens
are exchanged for ours), or both. Each tenant that it may let people into is named, with the mail
domains it speaks for there. What is believed of a person is the issuer's ``sub``, tied to a user at
the first sign-in: to the one whose verified address is in such a domain, to the one who follows an
invitation, or to a new one where ``unknown`` says ``create``.
"""

import re
from typing import Annotated, Literal

from msgspec import Meta

from skerry.identity.authenticate import forget_after
from skerry.identity.oidc.wire import allowed
from skerry.identity.specs import Identifier
from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Column, Kind, Spec
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.kernel.resources import Resource, Resources
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.identity")
ANY = "*"
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Entry(Spec):
    """One tenant that the issuer lets people into."""

    tenant: Annotated[Identifier, Meta(description="The tenant, or * for each but the operator's")]
    domains: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=253)]],
        Meta(
            max_length=64,
            description="Mail domains it speaks for there: who has such a verified address is "
            "taken for the user of that address",
        ),
    ] = []
    unknown: Annotated[
        Literal["invitation", "create"],
        Meta(description="Whether who is not known yet needs an invitation or becomes a user"),
    ] = "invitation"
    roles: Annotated[
        list[Identifier], Meta(max_length=16, description="Roles that such new users get")
    ] = []


class IssuerSpec(Spec):
    url: Annotated[
        str,
        Meta(
            min_length=8,
            max_length=512,
            description="Its issuer identifier, exactly as its tokens call it: https://…",
        ),
    ]
    display_name: Annotated[str, Meta(max_length=128, description="Name for people")] = ""
    client_id: Annotated[
        str,
        Meta(max_length=255, description="By which it knows this cloud; none: programs only"),
    ] = ""
    client_secret: Annotated[
        str, Meta(max_length=1024, description="What it gave us beside the client id, if anything")
    ] = ""
    scopes: Annotated[
        list[Identifier],
        Meta(max_length=16, description="Asked of it beside openid; email, profile"),
    ] = []
    name_claim: Annotated[
        Identifier, Meta(description="Of which claim a new user's name is made")
    ] = "preferred_username"
    email_claim: Annotated[Identifier, Meta(description="Which claim has the mail address")] = (
        "email"
    )
    tenants: Annotated[
        list[Entry], Meta(max_length=256, description="Where it may let people in")
    ] = []

    def entry(self, tenant: str) -> Entry | None:
        """What holds for a tenant; None: it lets nobody in there."""
        for entry in self.tenants:
            if entry.tenant == tenant or (entry.tenant == ANY and tenant != OPERATOR_TENANT):
                return entry
        return None


class IssuerHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(IssuerSpec)
        if not allowed(spec.url) or "?" in spec.url:
            raise ValidationError.at(
                "/spec/url",
                f"{spec.url[:100]!r} can't be an issuer",
                "It is an https:// URL without a query; http:// only on this machine itself.",
            )
        await tx.execute(_sql.lock_tenant, "issuers")
        if await tx.fetchval(_sql.issuer_taken, spec.url, new.name):
            raise ValidationError.at(
                "/spec/url", "another issuer has this URL", "Change that one instead."
            )
        for index, entry in enumerate(spec.tenants):
            _check(entry, f"/spec/tenants/{index}")
        return Admitted()

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        """Nobody is known by it any more; sessions that it opened end at their time."""
        await tx.execute(_sql.drop_issuer_links, resource.uid)
        forget_after(tx)


def _check(entry: Entry, at: str) -> None:
    for number, domain in enumerate(entry.domains):
        if not _DOMAIN.fullmatch(domain) or ".." in domain:
            raise ValidationError.at(
                f"{at}/domains/{number}",
                f"{domain[:60]!r} is not a mail domain",
                "Write it in lower case, as in example.com.",
            )
    if entry.unknown == "create" and entry.tenant == ANY:
        raise ValidationError.at(
            f"{at}/unknown",
            "new users can be made in named tenants only",
            "Name the tenant, or let people be invited.",
        )
    if entry.unknown == "create" and entry.tenant == OPERATOR_TENANT and not entry.domains:
        raise ValidationError.at(
            f"{at}/domains",
            "anybody could become an operator's user",
            "Name the mail domains whose people may.",
        )


ISSUER = Kind(
    provider="skerry.identity",
    collection="issuers",
    noun="issuer",
    summary="Who else's word counts for who somebody is: an OpenID Connect issuer",
    parent="global",
    spec=IssuerSpec,
    immutable=("url",),
    secrets=("clientSecret",),
    hooks=IssuerHooks(),
    regional=False,
    operator_only=True,
    columns=(
        Column("URL", "spec.url"),
        Column("CLIENT", "spec.clientId"),
    ),
)
