"""A person's browser: Chromium without a window, driven by its own DevTools protocol.

``make deps-browser`` installs it. Names below ``localhost`` are loopback to it, as to any browser.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

SECONDS = 120.0
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One page. What is typed and pressed goes the way that a keyboard's does."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.call("Page.enable")
        self.call("Runtime.enable")

    def call(self, method: str, **params: Any) -> Any:
        """Ask the browser. What it says by itself meanwhile is of no interest."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=SECONDS))
            if said.get("id") == number:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page, whatever page that is by then."""
        end, found = time.monotonic() + SECONDS, None
        while not found:
            assert time.monotonic() < end, f"{script} never came: {self.seen()}"
            time.sleep(0.1)
            wanted = f"(() => {{ try {{ return Boolean({script}) }} catch {{ return false }} }})()"
            found = self.run(wanted)

    def seen(self) -> str:
        """What a person reads there."""
        text = "location.href + '\\n' + document.body.innerText.slice(0, 2000)"
        return str(self.run(text))

    def click(self, selector: str) -> None:
        """In the middle of the first element."""
        where = "((e) => { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, "
        where += f"r.y + r.height / 2] }})(document.querySelector({json.dumps(selector)}))"
        x, y = self.run(where)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def shift_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def picture(self, file: Path) -> None:
        """What a person sees there."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def browser(home: Path) -> Iterator[Browser]:
    """A browser that has seen nothing yet, with its files in ``home``."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "there is no Chromium: make deps-browser"
    # Its own sandbox wants namespaces that the root of a container has not.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [
        program, "--headless=new", *root, "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--window-size=1280,800", "--remote-debugging-port=0",
        f"--user-data-dir={home}", "about:blank",
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        listening, end = home / "DevToolsActivePort", time.monotonic() + SECONDS
        while not listening.exists() or not listening.read_text().strip():
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.05)
        pages = httpx2.get(f"http://127.0.0.1:{listening.read_text().split()[0]}/json").json()
        [url] = [page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"]
        with connect(url, max_size=1 << 27, ping_interval=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(30)
