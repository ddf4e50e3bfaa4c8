"""Links that work once: to accept an invitation, or to set a new password.

Only the digest is kept. They go out by mail; where this cloud sends none, whoever asked for one is
shown it. A link that was used tells so to whoever tries it again.
"""

import uuid
from datetime import timedelta

from skerry.identity import tokens
from skerry.kernel.errors import Gone, NotFound
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.identity")
PAGE = "/join"


async def make(
    tx: Tx,
    resources: Resources,
    tenant: str,
    *,
    lasts: timedelta,
    invitation: uuid.UUID | None = None,
    user: uuid.UUID | None = None,
) -> str:
    """A new link; older ones for the same are worthless."""
    code = tokens.mint("link")
    await tx.execute(_sql.drop_links_of, invitation or user)
    await tx.execute(
        _sql.keep_link, tokens.digest(code), tenant, invitation, user, await tx.now() + lasts
    )
    return f"{await _base(tx, resources)}{PAGE}?code={code}"


async def _base(tx: Tx, resources: Resources) -> str:
    """Where this cloud's API is reached, as its region tells."""
    kind = resources.registry.by_noun.get("region")
    if kind is None:
        return ""
    region = await resources.find(tx, ref_of(kind, Path(name=resources.region)))
    providers = region.spec.get("providers") if region is not None else None
    return str(providers[0]["url"]).rpartition("/providers/")[0] if providers else ""


def digest_of(code: str) -> bytes:
    """Of a code as it stands in a link. Raises ``NotFound`` for what can't be one."""
    if not tokens.well_formed(code):
        raise _none()
    return tokens.digest(code)


async def held(tx: Tx, digest: bytes) -> Row:
    """The link, until the transaction ends. Raises ``NotFound`` or ``Gone``."""
    row = await tx.fetchrow(_sql.link_of, digest)
    if row is None:
        raise _none()
    if row["used"]:
        raise Gone(
            "This link was used already.", hint="Sign in, or ask for a new one if it was not you."
        )
    if not row["live"]:
        raise Gone("This link is too old.", hint="Ask for a new one.")
    return row


def _none() -> NotFound:
    return NotFound("This link does not work.", hint="Copy all of it, or ask for a new one.")
