"""People before the console: each visit is a browser that has seen nothing yet."""

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, expect
from playwright.async_api import Page as Tab

from tests.console.pages import Page
from tests.console.seeded import Seeded
from tests.harness.browser import SECONDS

ROOT = Path(__file__).parents[2]
AXE = ROOT / "console/node_modules/axe-core/axe.min.js"
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_SESSION = "sessionStorage.getItem(%(key)s) ?? sessionStorage.setItem(%(key)s, %(session)s)"


class Visits:
    """Opens pages as somebody, and keeps what the browser complained of."""

    def __init__(self, browser: Browser, cloud: Seeded) -> None:
        self._browser, self._cloud = browser, cloud
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        """Exceptions in pages, and what their policies or the network refused."""

    async def open(
        self, path: str = "", who: str = "", theme: str = "light", size: dict[str, int] = WIDE
    ) -> Tab:
        """A new browser at that page, signed in as ``who``, if that is somebody."""
        options: dict[str, Any] = {"color_scheme": theme, "viewport": size}
        context = await self._browser.new_context(
            base_url=self._cloud.url, locale="en-GB", timezone_id="Europe/Stockholm",
            reduced_motion="reduce", **options,
        )  # fmt: skip
        self._contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        if who:
            # Once: a session that ends in the page stays ended.
            words = {"key": json.dumps("skerry-session")}
            words["session"] = json.dumps(json.dumps(self._cloud.session(who)))
            once = "sessionStorage.getItem('met') || (sessionStorage.setItem('met', '1'), %s)"
            await context.add_init_script(once % (_SESSION % words))
        tab = await context.new_page()
        tab.on("pageerror", lambda error: self.complaints.append(f"{path}: {error}"))
        tab.on("console", lambda said: self._heard(path, said))
        await tab.goto(f"/console/{path}")
        return tab

    def _heard(self, path: str, said: ConsoleMessage) -> None:
        # The browser itself says of each answer from 400 that it was one.
        if said.type in ("error", "warning") and "status of 4" not in said.text:
            self.complaints.append(f"{path}: {said.text}")

    async def look(self, page: Page, **more: Any) -> Tab:
        """A page of the list, once it has what it shows."""
        tab = await self.open(page.path, page.who, **more)
        for click in page.then:
            await tab.locator(click).first.click()
        inside = tab.locator(":is(main, [role=dialog])").locator(page.ready)
        await inside.filter(visible=True).first.wait_for()
        await self.settled(tab)
        return tab

    async def settled(self, tab: Tab) -> None:
        """Nothing of the page is still to come."""
        coming = tab.locator("main").locator("[aria-busy=true], .mantine-Skeleton-root")
        await expect(coming).to_have_count(0)

    async def close(self) -> None:
        while self._contexts:
            await self._contexts.pop().close()


_STILL = """async () => {
  for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
  const ends = (one) => one.effect?.getComputedTiming().endTime !== Infinity;
  await Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
}"""


async def findings(tab: Tab) -> list[str]:
    """What axe has to say of a page as it is now, a line for each place."""
    if not await tab.evaluate("'axe' in window"):
        await tab.evaluate(AXE.read_text())
    # Colours that are on their way from one theme to another are nobody's to read.
    await tab.evaluate(_STILL)
    said = await tab.evaluate(
        "only => axe.run(document, {runOnly: {type: 'tag', values: only}, resultTypes: "
        "['violations']}).then(r => r.violations)",
        list(RULES),
    )
    return [f"{v['id']} ({v['help']}): {node['html'][:300]}" for v in said for node in v["nodes"]]
