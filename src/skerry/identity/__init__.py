"""Identity: who calls, and what they may do.

A *tenant* holds *users* and *service accounts*; each proves itself by an opaque *token*
(``tokens``), which a user can also get for a password (``passwords``). What they may do is said in
SECA's words: a *role* is a list of permissions (provider, resource glob, verbs), a *role
assignment* gives roles to subjects within scopes (tenants, regions, workspaces).

The way of a request: ``Authenticator.authenticate(secret)`` gives a ``Principal`` with its
``Grants``, the caller's assignments and roles compiled (``roles``), cached for as long as the
tenant's *epoch* stays. The epoch is a number that a database trigger raises with every change of a
role or an assignment, so no code path can forget to. ``authorize()`` then answers from those grants
alone, without a query: it is a pure function, it denies by default, and it is the only place where
the question is asked.

The built-in roles (``seca.*``, ``skerry.*``) are code (``roles.SYSTEM_ROLES``), so they can't be
edited and a new version of Skerry can't find an old copy of them. An assignment reaches only the
tenant it is kept in; only those of the tenant ``operator`` may name others. That one rule is what
keeps tenants apart.
"""

from skerry.identity.authenticate import Authenticator
from skerry.identity.authorize import Principal, authorize, authorize_list, can, target_of
from skerry.identity.roles import SYSTEM_ROLES, Target

__all__ = [
    "SYSTEM_ROLES",
    "Authenticator",
    "Principal",
    "Target",
    "authorize",
    "authorize_list",
    "can",
    "target_of",
]
