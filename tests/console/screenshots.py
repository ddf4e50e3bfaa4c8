"""Photograph every page, in both themes and as narrow as a telephone: ``make screenshots``.

    python -m tests.console.screenshots [--to DIR] [--only NAME ...] [--best NAME]

``--best`` puts the light picture of that page into ``docs/``, for the README.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from skerry.api import console
from tests.console.busy import work
from tests.console.history import remember
from tests.console.pages import PAGES, Page
from tests.console.seeded import Seeded, seeded
from tests.console.visits import NARROW, ROOT, WIDE, Visits
from tests.harness.browser import browser

DRAWN = """document.fonts.ready.then(async () => {
  for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame);
})"""
LOOKS = {
    "light": ("light", WIDE), "dark": ("dark", WIDE), "narrow": ("light", NARROW),
}  # fmt: skip


async def photograph(visits: Visits, page: Page, to: Path) -> None:
    for look, (theme, size) in LOOKS.items():
        tab = await visits.look(page, theme=theme, size=size)
        # As tall as the page is: what fills the window does so in the picture.
        tall = size["height"]
        while (height := await tab.evaluate("document.documentElement.scrollHeight")) > tall:
            tall = height
            await tab.set_viewport_size({**size, "height": tall})
            await visits.settled(tab)
            await tab.evaluate(DRAWN)
        await tab.screenshot(path=to / f"{page.name}-{look}.png")
        await visits.close()


async def all_of(cloud: Seeded, pages: list[Page], to: Path) -> list[str]:
    """Take them; what went wrong."""
    async with browser() as made:
        visits = Visits(made, cloud)
        for page in pages:
            print(page.name, flush=True)
            await photograph(visits, page, to)
    return visits.complaints


def main() -> None:
    asked = argparse.ArgumentParser(description="Photograph every page of the console.")
    asked.add_argument("--to", type=Path, default=ROOT / ".screenshots")
    asked.add_argument("--only", nargs="*", default=[])
    asked.add_argument("--best", default="")
    wanted = asked.parse_args()
    if not console.built():
        raise SystemExit("the console is not built: make console")
    wanted.to.mkdir(parents=True, exist_ok=True)
    pages = [page for page in PAGES if not wanted.only or page.name in wanted.only]
    with tempfile.TemporaryDirectory() as home:
        os.environ["SKERRY_TEST_RUN"] = home
        cloud = seeded(Path(home) / "cloud")
        try:
            work(cloud)
            asyncio.run(remember(cloud.cloud.data))
            complaints = asyncio.run(all_of(cloud, pages, wanted.to))
        finally:
            cloud.close()
    if wanted.best:
        shutil.copy(wanted.to / f"{wanted.best}-light.png", ROOT / "docs/pictures/console.png")
    print(f"They are in {wanted.to}.")
    if complaints:
        raise SystemExit("\n".join(complaints))


if __name__ == "__main__":
    main()
