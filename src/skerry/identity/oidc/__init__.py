"""OpenID Connect: another's word for who somebody is, and how far it is believed.

``wire`` fetches an issuer's documents within limits of size and time, follows no redirect, and
leaves what is not HTTPS alone but on loopback. ``issuers`` keeps its endpoints and keys for a while
and asks again, not oftener than every half minute, when a token names a key that is not among them.
``claims`` is pure: a token, a key set, what is expected and the time give claims or a refusal.

Only signatures by a private key count (RS, PS, ES, EdDSA): ``none`` and the HS family, with which a
public key could be made to sign, are not in the list that is allowed, whatever a token says.
"""

from skerry.identity.oidc.claims import Untrusted, verified
from skerry.identity.oidc.issuers import Issuers
from skerry.identity.oidc.wire import IssuerAway

__all__ = ["IssuerAway", "Issuers", "Untrusted", "verified"]
