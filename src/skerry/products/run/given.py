"""What one that runs is given in secret: opened only here, on its way to its site."""

from dataclasses import dataclass, field
from typing import Any

from skerry.kernel.flows import Context
from skerry.products.run.work import WorkSpec


@dataclass(frozen=True)
class Given:
    env: dict[str, str] = field(default_factory=dict)
    """Environment variables."""
    files: dict[str, str] = field(default_factory=dict)
    """Absolute path to content."""


class NotGiven(Exception):
    """A secret that it names can't be had; the words are for the tenant."""


async def given(ctx: Context, spec: WorkSpec) -> Given:
    """Its ``secretEnv`` and the values that ``secrets`` names. Raises ``NotGiven``."""
    if spec.secrets:
        raise NotGiven(f"secret {spec.secrets[0].secret!r} does not exist")
    sealed: dict[str, Any] = await ctx.secret("secretEnv") or {}
    return Given(env=dict(sealed))


async def registry_login(ctx: Context, spec: WorkSpec) -> tuple[str, str]:
    """Username and password for its image's registry; empty where it names no secret. Raises
    ``NotGiven``."""
    if spec.image_secret:
        raise NotGiven(f"secret {spec.image_secret!r} does not exist")
    return "", ""
