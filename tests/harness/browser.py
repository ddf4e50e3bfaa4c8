"""A person's browser: the system's Chromium, driven by Playwright, which downloads none.

``make deps-browser`` installs it. Names below ``localhost`` are loopback to it, as to any browser.
"""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

SECONDS = 120
"""How long what is waited for may take: more than it does on a machine with much else to do."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def program() -> str:
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert found, "there is no Chromium: make deps-browser"
    return found


@contextmanager
def wrapped() -> Iterator[str]:
    """The program, which other tests' networks do not disturb (``unmoved``)."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
        script = Path(folder) / "chromium"
        command = shlex.join([sys.executable, str(Path(__file__).parent / "unmoved.py"), program()])
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)
        yield str(script)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser without a window. Each of its contexts has seen nothing yet."""
    # Its own sandbox wants namespaces that the root of a container has not.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=SECONDS * 1000)
    with wrapped() as path:
        async with async_playwright() as play:
            made = await play.chromium.launch(executable_path=path, args=[*FLAGS, *root])
            try:
                yield made
            finally:
                await made.close()
