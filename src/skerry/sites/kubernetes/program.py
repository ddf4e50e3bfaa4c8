"""The keeper's program for a cluster's machines: brought with Skerry, or made here.

A release carries one for each architecture beside its source. A checkout makes its own once, with
the C compiler that is there, and keeps it by the digest of its source.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from skerry.sites.contract import Refused

SOURCE = Path(__file__).with_name("keeper")
MOST = 1_000_000
"""Bytes: a ConfigMap holds no more."""
FLAGS = ("-std=gnu11", "-static", "-Os", "-s", "-Wall", "-Wextra", "-Wno-unused-result")


def program(machine: str) -> bytes:
    """Refused (``NoKeeper``) where it is neither here nor can be made. ``machine``: ``x86_64``."""
    brought = SOURCE / f"keeper-{machine}"
    if brought.is_file():
        return brought.read_bytes()
    return _made(machine).read_bytes()


def _made(machine: str) -> Path:
    sources = sorted(SOURCE.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skerry"
    target = cache / f"keeper-{digest}-{machine}"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        build(machine, target)
    return target


def build(machine: str, target: Path) -> None:
    """Make it. Refused (``NoKeeper``) with the reason."""
    compiler = _compiler(machine)
    if compiler is None:
        raise Refused(
            "NoKeeper",
            f"the keeper for {machine} is not here: install a C compiler (gcc and libc6-dev), "
            "or 'pip install ziglang'",
        )
    sources = [str(path) for path in sorted(SOURCE.glob("*.c"))]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        done = subprocess.run(
            [*compiler, *FLAGS, "-o", str(fresh), *sources],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode or fresh.stat().st_size > MOST:
            words = (done.stderr.strip().splitlines() or ["it is too large"])[-1]
            raise Refused("NoKeeper", f"the keeper for {machine} can't be made: {words[:200]}")
        fresh.replace(target)


def _compiler(machine: str) -> list[str] | None:
    own = platform.machine() == machine
    for name in (*(("cc", "gcc") if own else ()), f"{machine}-linux-gnu-gcc"):
        if path := shutil.which(name):
            return [path]
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-musl"]
    return None
