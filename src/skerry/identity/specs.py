"""What can be asked of identity: the specs and statuses of its kinds.

``RoleSpec``, ``RoleAssignmentSpec`` and their limits are SECA's. One limit is wider: SECA allows a
verb seven characters, which leaves no room for its own ``post.start``, so ``post.`` verbs may have
up to 64 here.
"""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]


class TenantSpec(Spec):
    display_name: Annotated[str, Meta(max_length=128, description="Name for people")] = ""
    suspended: Annotated[
        bool, Meta(description="Refuse every token of this tenant; nothing is deleted")
    ] = False
    second_factor: Annotated[
        list[Identifier],
        Meta(
            max_length=64,
            description="Roles whose bearers need a second factor beside a password; * for all",
        ),
    ] = []


class UserSpec(Spec):
    display_name: Annotated[str, Meta(max_length=128, description="Name for people")] = ""
    email: Annotated[
        str,
        Meta(
            max_length=128,
            pattern=r"^([^@\s]+@[^@\s]+)?$",
            description="Can stand for the name when logging in and in role assignments",
        ),
    ] = ""
    disabled: Annotated[bool, Meta(description="Refuse this user's tokens and password")] = False


class UserStatus(Status):
    has_password: Annotated[bool, Meta(description="Whether a password is set")] = False
    has_second_factor: Annotated[bool, Meta(description="Whether a code is wanted, too")] = False


Pattern = Annotated[str, Meta(min_length=1, max_length=512)]


class Trust(Spec):
    """Tokens of another issuer that are exchanged for this account's."""

    issuer: Annotated[Identifier, Meta(description="Name of an issuer of this cloud")]
    audience: Annotated[Pattern, Meta(description="For whom they must be meant")]
    subject: Annotated[
        Pattern, Meta(description="Whom they must be about; * stands for anything in it")
    ]
    claims: Annotated[
        dict[Identifier, Pattern],
        Meta(max_length=32, description="What else they must say; * stands for anything"),
    ] = {}
    ttl_seconds: Annotated[
        int, Meta(ge=60, le=3600, description="Seconds for which a token of ours works")
    ] = 900


class ServiceAccountSpec(Spec):
    description: Annotated[str, Meta(max_length=1024, description="What it is for")] = ""
    disabled: Annotated[bool, Meta(description="Refuse this account's tokens")] = False
    trusts: Annotated[
        list[Trust], Meta(max_length=64, description="Tokens that are exchanged for its own")
    ] = []


class Scope(Spec):
    """Where a role counts. A dimension left out is not restricted, but ``tenants``: left out, it
    is the tenant of the assignment."""

    tenants: Annotated[
        list[Identifier], Meta(max_length=64, description="Tenants; by default this one")
    ] = []
    regions: Annotated[
        list[Identifier], Meta(max_length=64, description="Regions; all if none")
    ] = []
    workspaces: Annotated[
        list[Identifier], Meta(max_length=256, description="Workspaces; all if none")
    ] = []


class Permission(Spec):
    provider: Annotated[
        Identifier, Meta(description="Provider, with or without version: seca.storage/v1")
    ]
    resources: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=256)]],
        Meta(
            min_length=1,
            max_length=256,
            description="Globs on the path below the workspace: instances/web-*, images, *",
        ),
    ]
    verb: Annotated[
        list[Identifier],
        Meta(
            min_length=1,
            max_length=16,
            description="get, list, put, delete, post or post.<action>, in any case",
        ),
    ]


class RoleSpec(Spec):
    permissions: Annotated[
        list[Permission], Meta(min_length=1, max_length=256, description="What the role allows")
    ]


class RoleAssignmentSpec(Spec):
    roles: Annotated[
        list[Identifier], Meta(min_length=1, max_length=32, description="Names of roles")
    ]
    subs: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=128)]],
        Meta(
            min_length=1,
            max_length=256,
            description="User names or e-mail addresses, service-accounts/NAME, or * for all",
        ),
    ]
    scopes: Annotated[
        list[Scope], Meta(min_length=1, max_length=256, description="Where the roles count")
    ]
    not_before: Annotated[
        Annotated[datetime, Meta(tz=True)] | None, Meta(description="Since when they count")
    ] = None
    not_after: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="Until when they count, as for an auditor's visit"),
    ] = None


class TokenSpec(Spec):
    subject: Annotated[
        str,
        Meta(
            max_length=160,
            description="User name, or service-accounts/NAME; by default the caller",
        ),
    ] = ""
    description: Annotated[str, Meta(max_length=1024, description="What it is for")] = ""
    expires_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None, Meta(description="When it stops working")
    ] = None
    ttl_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=315_360_000,
            description="Seconds it works for, unless expiresAt is given; 0 is for ever",
        ),
    ] = 90 * 86_400
    scopes: Annotated[
        list[Scope],
        Meta(max_length=32, description="Narrow the token to these; it never widens anything"),
    ] = []


class TokenStatus(Status):
    subject: Annotated[str, Meta(description="users/NAME or service-accounts/NAME")] = ""
    expires_at: Annotated[datetime | None, Meta(description="When it stops working")] = None
    last_used_at: Annotated[
        datetime | None, Meta(description="When it was last used, to the minute")
    ] = None
    fingerprint: Annotated[
        str, Meta(description="The first 16 hexadecimal digits of the secret's SHA-256")
    ] = ""


class WorkspaceStatus(Status):
    resource_count: Annotated[int, Meta(ge=0, description="Resources in the workspace")] = 0


class SetPassword(Spec):
    password: Annotated[str, Meta(min_length=12, max_length=256, description="The new password")]
    current: Annotated[
        str, Meta(max_length=256, description="The present one, when changing your own")
    ] = ""


WorkspaceSpec = dict[str, Any]
