"""The words of a secret, and of those who use one."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status

KEPT = 10
"""Versions, the current one included."""
MOST = 256 << 10
"""Bytes of all values of one version together."""

Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+$", min_length=1, max_length=253)]
Text = Annotated[str, Meta(max_length=MOST)]


class SecretSpec(Spec):
    """Named values, never shown again."""

    data: Annotated[
        Annotated[dict[Key, Text], Meta(min_length=1, max_length=256)] | None,
        Meta(description="The values by name; leaving it out keeps those that are there"),
    ] = None


class Version(Status):
    """A set of values that is kept."""

    version: Annotated[int, Meta(description="Counted from 1")]
    created_at: Annotated[datetime, Meta(description="When it was put")]
    keys: Annotated[list[str], Meta(description="Names of its values")]


class SecretStatus(Status):
    version: Annotated[int, Meta(description="The current version")] = 0
    keys: Annotated[list[str], Meta(description="Names of its values")] = []
    versions: Annotated[list[Version], Meta(description="Those that are kept, newest first")] = []


class SecretRef(Spec):
    """One value of a secret, for what runs: as a variable or as a file."""

    secret: Annotated[
        str, Meta(min_length=1, max_length=128, description="The secret, in the same workspace")
    ]
    key: Annotated[Key, Meta(description="Which of its values")]
    env: Annotated[
        str,
        Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", max_length=256, description="Variable to set"),
    ] = ""
    path: Annotated[
        str,
        Meta(
            pattern="^(/.*)?$",
            max_length=1024,
            description="File to put it in, as an absolute path; it is kept in memory only",
        ),
    ] = ""
    version: Annotated[
        int, Meta(ge=0, description="Which version; 0: the current one when it starts")
    ] = 0
