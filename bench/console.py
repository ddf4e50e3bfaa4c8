"""How soon a person can use the console: what is sent before its first page, and when that page
shows what it has and answers, each time in a browser that has seen nothing yet.

    python bench/console.py [--rounds 5]
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figures

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.console.pages import PAGES, Page
from tests.console.seeded import Seeded, seeded
from tests.console.visits import ROOT, Visits
from tests.harness.browser import browser

FIGURES = Figures("console")
LOOKED_AT = ("sign-in", "overview", "jobs")
SENT_KB, INTERACTIVE_MS, BUILD_SECONDS = 250, 1500, 30


async def sent(visits: Visits, page: Page) -> float:
    """Kilobytes of scripts as they came over the wire, up to the page with all it shows."""
    tab = await visits.look(page)
    scripts = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('.js'))"
    size = await tab.evaluate(f"{scripts}.reduce((sum, e) => sum + e.encodedBodySize, 0)")
    await visits.close()
    assert size > 0
    return float(size) / 1000


async def interactive(visits: Visits, page: Page) -> float:
    """Milliseconds from asking for the address until what the page is about is there."""
    tab = await visits.open("sign-in", page.who)
    session = await tab.context.new_cdp_session(tab)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    begun = time.perf_counter()
    await tab.goto(f"/console/{page.path}", wait_until="commit")
    found = tab.locator("main").locator(page.ready).first
    await found.wait_for()
    # It answers once its thread is free again.
    await tab.evaluate("new Promise(done => setTimeout(done))")
    took = time.perf_counter() - begun
    await visits.close()
    return 1000 * took


async def measure(cloud: Seeded, rounds: int) -> None:
    pages = [page for page in PAGES if page.name in LOOKED_AT]
    async with browser() as made:
        visits = Visits(made, cloud)
        for page in pages:
            kilobytes = await sent(visits, page)
            FIGURES.add(f"{page.name}: scripts, compressed", kilobytes, "kB", limit=SENT_KB)
            times = [await interactive(visits, page) for _ in range(rounds)]
            FIGURES.add(
                f"{page.name}: to what it shows, median",
                statistics.median(times),
                "ms",
                limit=INTERACTIVE_MS,
            )


def build() -> float:
    """Seconds that a build takes, the packages being there."""
    begun = time.perf_counter()
    command = [sys.executable, str(ROOT / "hatch_build.py"), "build", "--force"]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    FIGURES.add("build", build(), "s", limit=BUILD_SECONDS)
    with tempfile.TemporaryDirectory(prefix="bench-console-") as home:
        os.environ["SKERRY_TEST_RUN"] = home
        cloud = seeded(Path(home) / "cloud")
        try:
            asyncio.run(measure(cloud, rounds))
        finally:
            cloud.close()
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(main())
