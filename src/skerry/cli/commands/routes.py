"""``skerry route ca``: whom to trust where the cloud vouches for its routes itself."""

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session


@pass_session
def _ca(session: Session) -> None:
    output.raw(session.client.request("GET", "/gateway/ca.pem").body)


ca = Command(
    "ca",
    callback=_ca,
    params=[],
    help="Print the certificate of the cloud's own authority, in PEM, for clients to trust.",
)
