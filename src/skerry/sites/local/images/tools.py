"""The programs that bring and unpack: found, run, watched, and ended when they stand still."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.sites.contract import Refused
from skerry.sites.local.engines.base import Unusable, find

LOOK_SECONDS = 0.2
"""Between two looks at how far a program is."""
_PACKAGES = {"skopeo": "skopeo", "umoci": "umoci", "setpriv": "util-linux"}
_PASSED = (
    *("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
_LONGEST = 1 << 20


@dataclass(frozen=True)
class Ended:
    code: int
    output: bytes
    said: str
    """On standard error, its end."""


def program(name: str) -> str:
    """Its path. Raises ``Refused``, naming the package that has it."""
    try:
        return find(name)
    except Unusable as error:
        package = _PACKAGES[name]
        raise Refused(
            "Unsupported",
            f"this host can't run images: {error}; its operator can install it "
            f"(on Debian: apt-get install {package})",
        ) from error


def versions() -> str:
    """What there is, in words; or what is missing."""
    try:
        found = {name: program(name) for name in _PACKAGES}
    except Refused as refused:
        return refused.message
    words = [
        subprocess.run([found[name], "--version"], capture_output=True, text=True, check=False)
        for name in ("skopeo", "umoci")
    ]
    return ", ".join(done.stdout.split("\n")[0].replace(" version", "") for done in words)


async def run(
    argv: Sequence[str],
    home: Path,
    *,
    stall: float,
    position: Callable[[int], int],
    descriptors: Sequence[int] = (),
    env: dict[str, str] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Ended:
    """Run it to its end, with ``home`` for its temporary files.

    ``position`` tells, given its process, how far it is: one that has not moved for ``stall``
    seconds is ended (``TimeoutError``). ``check`` may raise to end it. It ends with its caller,
    and if the agent is killed.
    """
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(program("setpriv"), "--pdeathsig", "KILL", "--", *argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=tuple(descriptors),
        start_new_session=True,
        umask=0o022,
        cwd=home,
        env={**passed, "HOME": str(home), "TMPDIR": str(home), **(env or {})},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    reading = [asyncio.create_task(_all(stream)) for stream in (process.stdout, process.stderr)]
    try:
        await _watch(process, stall, position, check)
        output, said = await asyncio.gather(*reading)
        return Ended(await process.wait(), output, said.decode(errors="replace"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for task in reading:
            task.cancel()
        await asyncio.shield(process.wait())


async def _watch(
    process: asyncio.subprocess.Process,
    stall: float,
    position: Callable[[int], int],
    check: Callable[[], None],
) -> None:
    ended = asyncio.create_task(process.wait())
    at, moved = -1, time.monotonic()
    try:
        while not (await asyncio.wait({ended}, timeout=LOOK_SECONDS))[0]:
            check()
            now = position(process.pid)
            if now != at:
                at, moved = now, time.monotonic()
            elif time.monotonic() - moved > stall:
                raise TimeoutError(f"nothing has come for {stall:.0f} seconds")
    finally:
        ended.cancel()


async def _all(stream: asyncio.StreamReader) -> bytes:
    """What it says, of which the first mebibyte is kept."""
    kept = bytearray()
    while data := await stream.read(65536):
        kept += data[: _LONGEST - len(kept)]
    return bytes(kept)


def transferred(pid: int) -> tuple[int, int]:
    """Bytes that a process has read and written so far; zeros once it has ended."""
    found = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/io").read_text().splitlines():
            name, _, value = line.partition(": ")
            found[name] = int(value)
    return found.get("rchar", 0), found.get("wchar", 0)
