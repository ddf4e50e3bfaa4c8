"""JupyterLab as people use it: the real one, opened in a browser."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Cloud, until
from tests.harness.browser import SECONDS, browser

KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skerry-tests"
"""Where the Python environment is kept for the next time: it takes minutes to fetch."""
PICTURE = os.environ.get("SKERRY_PICTURES")
"""A folder for what the pages of this test look like."""
LAUNCHER = ".jp-LauncherCard[data-category='Notebook']"
CELL = ".jp-Notebook .jp-Cell .cm-content"
OUTPUT = ".jp-Notebook .jp-OutputArea-output pre"


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("notebooks"))
    (KEPT / "environments").mkdir(mode=0o700, parents=True, exist_ok=True)
    (made.data / "agent").mkdir(mode=0o700, parents=True)
    (made.data / "agent/environments").symlink_to(KEPT / "environments")
    made.start()
    until(lambda: made.json("offer", "list"), made.tail)
    yield made
    made.stop()


def status(cloud: Cloud, name: str) -> dict[str, Any]:
    # Not by the command: it would start a hundred times.
    env = cloud.told()
    where = f"{env['SKERRY_URL']}/providers/skerry.notebook/v1/tenants/operator/workspaces/default"
    headers = {"authorization": f"Bearer {env['SKERRY_TOKEN']}"}
    answer = httpx2.get(f"{where}/notebooks/{name}", headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["status"])


def reach(cloud: Cloud, name: str, phase: str, seconds: float = 300) -> dict[str, Any]:
    """Wait until it is in that phase."""

    def told() -> str:
        return f"{status(cloud, name)} {cloud.tail()}"

    until(lambda: status(cloud, name)["phase"] == phase, told, cloud.process, seconds)
    return status(cloud, name)


def made(cloud: Cloud, name: str, *flags: str) -> dict[str, Any]:
    """One with a volume of its name, once it answers."""
    cloud.skerry("volume", "create", name, "--size", "1GiB")
    cloud.skerry("notebook", "create", name, "--volume", name, "--detach", *flags)
    return reach(cloud, name, "running")


def gone(cloud: Cloud, name: str) -> None:
    """Delete it, and its volume, which it leaves."""
    cloud.skerry("notebook", "delete", name, "--yes", timeout=200)
    assert [one["metadata"]["name"] for one in cloud.json("volume", "list")] == [name]
    cloud.skerry("volume", "delete", name, "--yes", timeout=200)


async def compute(page: Page, text: str, answer: str) -> None:
    """Open a new notebook, type into its first cell, and see the answer."""
    page.set_default_timeout(SECONDS * 1000)
    await page.click(LAUNCHER)
    # What is run before the kernel is there is run by nobody.
    await expect(page.get_by_text("(ipykernel) | Idle")).to_be_visible()
    await page.click(CELL)
    await page.keyboard.insert_text(text)
    await page.keyboard.press("Shift+Enter")
    await expect(page.locator(OUTPUT).first).to_have_text(answer)


@pytest.mark.long
async def test_it_opens_in_a_browser_and_computes(notebooks: Cloud) -> None:
    running = made(notebooks, "lab")
    link = notebooks.json("notebook", "open", "lab")["url"]
    assert link.startswith(running["url"])
    async with browser() as one:
        page = await one.new_page()
        await page.goto(link)
        await compute(page, "6 * 7", "42")
        if PICTURE:
            await page.screenshot(path=Path(PICTURE) / "notebook.png")
        # Jupyter's own protection stays on, and large files go up and down.
        put = "fetch('/api/contents/large.bin', {method: 'PUT', headers: %s, body: JSON.stringify("
        put += (
            "{type: 'file', format: 'text', content: 'x'.repeat(20000000)})}).then(r => r.status)"
        )
        xsrf = "{'X-XSRFToken': document.cookie.match(/_xsrf=([^;]+)/)[1]}"
        assert await page.evaluate(put % "{}") == 403
        assert await page.evaluate(put % xsrf) == 201
        size = "fetch('/files/large.bin').then(r => r.blob()).then(b => b.size)"
        assert await page.evaluate(size) == 20_000_000
        # A link lets in once.
        stranger = await (await one.new_context()).new_page()
        await stranger.goto(link)
        await expect(stranger.locator("body")).to_contain_text("This link")
    # Nobody else comes in, and without the key not even a process beside it.
    url = running["url"].replace("lab-default-operator.apps.localhost", "127.0.0.1")
    host = {"host": running["url"].removeprefix("http://")}
    assert httpx2.get(f"{url}/api/contents", headers=host).status_code == 401
    forged = {**host, "x-skerry-key": "guessed"}
    assert httpx2.get(f"{url}/api/contents", headers=forged).status_code == 401
    inside = "import urllib.request as u; u.urlopen('http://127.0.0.1:8888/api/contents')"
    beside = notebooks.skerry("exec", "notebook/lab", "--", "python3", "-c", inside, check=False)
    assert "403" in beside.stderr + beside.stdout
    assert running["cost"]["perHourNano"] > 0
    gone(notebooks, "lab")


@pytest.mark.long
async def test_it_stops_when_nobody_uses_it_and_starts_with_its_page(notebooks: Cloud) -> None:
    """A cell that computes is use, though no page is open; a stopped one keeps its volume."""
    made(notebooks, "busy", "--idle", "5")
    async with browser() as one:
        page = await one.new_page()
        await page.goto(notebooks.json("notebook", "open", "busy")["url"])
        await compute(page, "import time; print(42, flush=True); time.sleep(90)", "42")
    until(lambda: status(notebooks, "busy").get("reason") == "Computing", seconds=200)
    stopped = reach(notebooks, "busy", "stopped")
    assert stopped["reason"] == "Idle"
    assert "Volume busy keeps its files" in stopped["message"]
    assert stopped["cost"]["perHourNano"] == 0
    async with browser() as one:
        page = await one.new_page()
        await page.goto(notebooks.json("notebook", "open", "busy")["url"])
        await expect(page.locator("body")).to_contain_text("Untitled.ipynb")
    gone(notebooks, "busy")
