"""An agent without root's rights passes the same cases: ``unprivileged``, run as such a user."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

_SOMEBODY = 54321
_BECOME = ["setpriv", f"--reuid={_SOMEBODY}", f"--regid={_SOMEBODY}", "--clear-groups"]


@pytest.mark.parametrize(
    "which", ["not long", pytest.param("long", marks=pytest.mark.long)], ids=["some", "rest"]
)
def test_as_somebody(tmp_path: Path, which: str) -> None:
    """Root's own places are closed to others, so the Python that runs this is shown to them.

    In a mount namespace of its own: whatever above Python, packages and checkout is closed is
    covered by an open directory with only them in it.
    """
    root = Path(__file__).parents[3]
    own = tmp_path / "somebody"
    own.mkdir()
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", "-m", which),
        *("--basetemp", str(own / "t"), "tests/sites/local/unprivileged.py"),
    ]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(own), "TMPDIR": str(own)}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as keep:
        if os.geteuid() == 0:
            os.chown(own, _SOMEBODY, _SOMEBODY)
            places = (sys.base_prefix, sys.prefix, str(root), str(own))
            script = "".join(_opening(Path(place), keep) for place in places) + 'exec "$@"'
            command = ["unshare", "--mount", "sh", "-ec", script, "sh", *_BECOME, *command]
        done = subprocess.run(
            command, env=env, cwd=root, capture_output=True, text=True, timeout=900, check=False
        )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def _opening(place: Path, keep: str) -> str:
    """Shell words that make ``place`` reachable for everybody."""
    closed = [parent for parent in place.parents if not parent.stat().st_mode & 0o001]
    if not closed:
        return ""
    top = closed[-1]
    return (
        f"if ! {' '.join(_BECOME)} test -x {place}; then "
        f"mount --bind {place} {keep}; mount -t tmpfs -o mode=755 none {top}; "
        f"mkdir -p -m 755 {place}; mount --move {keep} {place}; fi; "
    )
