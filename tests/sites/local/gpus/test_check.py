"""``make gpu-check`` where there is no GPU: it says so, and why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="there is one")
@pytest.mark.skipif(os.path.exists("/dev/kfd"), reason="there is one")
def test_it_says_that_there_is_none() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/gpu_check.py"), "--engine", "runc"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "no GPU here: no GPUs: " in done.stdout
    assert "0 of 0 checks passed" in done.stdout
