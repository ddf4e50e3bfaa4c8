"""What one that runs is given in secret: opened only here, on its way to its site."""

from skerry.kernel.flows import Context
from skerry.products.run.secrets.values import Given, MissingSecret, login, resolve
from skerry.products.run.work import WorkSpec

__all__ = ["Given", "MissingSecret", "given", "registry_login"]


async def given(ctx: Context, spec: WorkSpec) -> Given:
    """Its ``secretEnv`` and the values that ``secrets`` names. Raises ``MissingSecret``."""
    sealed: dict[str, str] = await ctx.secret("secretEnv") or {}
    if not spec.secrets:
        return Given(env=sealed)
    async with ctx.db.transaction() as tx:
        found = await resolve(tx, ctx.resources, ctx.resource, spec.secrets)
    return Given(env={**sealed, **found.env}, files=found.files)


async def registry_login(ctx: Context, spec: WorkSpec) -> tuple[str, str]:
    """Username and password for its image's registry; empty where it names no secret. Raises
    ``MissingSecret``."""
    if not spec.image_secret:
        return "", ""
    async with ctx.db.transaction() as tx:
        return await login(tx, ctx.resources, ctx.resource, spec.image_secret)
