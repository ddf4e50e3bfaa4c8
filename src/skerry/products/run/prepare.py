"""The file system and the Python environment that a workload runs in, brought before it starts.

A pull takes minutes and goes on at the site by itself. So it is followed for some seconds at a time
and looked at again: meanwhile the status tells how far it is, and whoever cancels need not wait.
What an image's name stood for at the first time is asked for ever after, so that a second try runs
the same.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from skerry.kernel.flows import Context
from skerry.products.run.given import registry_login
from skerry.products.run.work import MIB, UPLOADED, WorkSpec
from skerry.sites.contract import (
    EnvironmentSource,
    Images,
    ImageSource,
    Progress,
    Refused,
    SiteUnreachable,
    Workloads,
)

PATIENCE = 60.0
"""Seconds until the site has said anything at all."""
_SHORTEST, _LONGEST = 1.0, 10.0
"""Seconds that it is followed, the longer the longer it takes."""
_DOING = {
    "waiting": "Waiting for {what}, behind others",
    "resolving": "Looking up {what}",
    "pulling": "Pulling {what}",
    "unpacking": "Unpacking {what}",
    "installing": "Installing {what}",
}
IMAGE, PACKAGES = "its image", "its Python packages"


@dataclass(frozen=True)
class Prepared:
    image: str = ""
    """Digest for ``Workload.image``."""
    environment: str = ""
    """Digest for ``Workload.environment``."""
    notes: dict[str, Any] = field(default_factory=dict)
    """For the flow to keep."""


@dataclass(frozen=True)
class Underway:
    """Not there yet: ask again."""

    message: str


async def prepare(ctx: Context, driver: Workloads, spec: WorkSpec) -> Prepared | Underway:
    """Bring what the spec names to the site. May be repeated. Raises ``SiteUnreachable``,
    ``Refused`` and ``MissingSecret``."""
    if not spec.image and not spec.requirements:
        return Prepared()
    if not isinstance(driver, Images):
        what = "images" if spec.image else "Python environments"
        raise Refused("Unsupported", f"this site keeps no {what}")
    image = environment = ""
    if spec.image:
        reached = await _follow(ctx, driver.prepare_image(await _source(ctx, spec)))
        if reached.stage != "ready":
            return Underway(_words(reached, IMAGE))
        image = reached.digest
    if spec.requirements:
        source = EnvironmentSource(requirements=spec.requirements)
        reached = await _follow(ctx, driver.prepare_environment(source))
        if reached.stage != "ready":
            return Underway(_words(reached, PACKAGES))
        environment = reached.digest
    notes = {"pinned": [spec.image, image]} if image else {}
    return Prepared(image, environment, notes)


async def _source(ctx: Context, spec: WorkSpec) -> ImageSource:
    of, digest = ctx.data.get("pinned") or ("", "")
    known = digest if of == spec.image else ""
    if spec.image.startswith(UPLOADED):
        return ImageSource(archive=spec.image.removeprefix(UPLOADED), digest=known)
    username, password = await registry_login(ctx, spec)
    return ImageSource(reference=spec.image, username=username, password=password, digest=known)


async def _follow(ctx: Context, steps: AsyncIterator[Progress]) -> Progress:
    """How far it is after a while."""
    reached: Progress | None = None
    age = (ctx.now - ctx.entered_at).total_seconds()
    until = asyncio.get_running_loop().time() + min(max(_SHORTEST, age / 8), _LONGEST)
    try:
        async with (
            asyncio.timeout(PATIENCE) as limit,
            aclosing(cast("AsyncGenerator[Progress]", steps)) as items,
        ):
            async for reached in items:
                if reached.stage == "ready":
                    return reached
                limit.reschedule(until)
    except TimeoutError:
        pass
    if reached is None:
        raise SiteUnreachable("the site does not say how far it is with what it is to bring")
    return reached


def _words(reached: Progress, what: str) -> str:
    """For a status: ``Pulling its image: 12 of 40 MiB.``"""
    done, total = reached.done, reached.total
    text = _DOING[reached.stage].format(what=what)
    if total and reached.stage == "installing":
        text += f": {done} of {total}"
    elif total:
        text += f": {done / MIB:.0f} of {max(total / MIB, 1):.0f} MiB"
    return f"{text}."
