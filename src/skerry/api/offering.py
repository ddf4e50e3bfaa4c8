"""Issuers, as pages offer them."""

from collections.abc import Sequence

from skerry.api.edge import Edge
from skerry.api.pages import escaped
from skerry.store.queries import load

_sql = load("skerry.identity")
BEGIN = "/sign-in/begin"


async def offered(edge: Edge) -> Sequence[tuple[str, str]]:
    """Issuers that people may sign in at: name, and name for people."""
    return [
        (row["name"], row["spec"].get("displayName") or row["name"])
        for row in await edge.db.fetch(_sql.issuers)
        if row["spec"].get("clientId")
    ]


def issuer_buttons(issuers: Sequence[tuple[str, str]], fields: str) -> str:
    """A form of its own, so that no password goes along."""
    if not issuers:
        return ""
    buttons = "".join(
        f'<button name="issuer" value="{escaped(name)}">With {escaped(shown)}</button> '
        for name, shown in issuers
    )
    return f'<p>or</p><form method="get" action="{BEGIN}">{fields}{buttons}</form>'
