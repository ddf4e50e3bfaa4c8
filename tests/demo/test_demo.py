"""``make demo``, in a folder of its own; and the wheel, without a checkout."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "demo/demo.py"],
        cwd=folder, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A place for a demo of one's own; its cloud is stopped at the end."""
    shutil.copytree(ROOT / "demo", tmp_path / "demo")
    yield tmp_path
    stopped = subprocess.run(
        [sys.executable, "demo/down.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert stopped.returncode == 0, stopped.stderr
    assert "Stopped." in stopped.stderr
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # It may end just now.
            assert str(tmp_path).encode() not in process.read_bytes(), "it goes on"


def goes_round(folder: Path) -> str:
    done = demo(folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "receipt OK" in done.stdout
    assert "total:" in done.stdout
    assert "only in FR; this offer is in SE" in done.stderr
    assert "audit OK" in done.stderr
    # Point Nemo, as the atlases have it.
    assert "the loneliest place at sea: 49.0° S, 123.3° W" in done.stdout
    assert (folder / ".demo/map.png").read_bytes().startswith(b"\x89PNG")
    assert re.search(r"GET /map.png there: 200, [0-9]+ bytes", done.stdout)
    assert "EUR" in (folder / ".demo/invoice.html").read_text()
    return done.stdout


def test_it_goes_round(folder: Path) -> None:
    assert "It answers at" in goes_round(folder)


@pytest.mark.long
def test_it_goes_round_again(folder: Path) -> None:
    goes_round(folder)
    assert "An earlier run's cloud" in goes_round(folder)


@pytest.mark.long
def test_the_wheel_needs_no_checkout(tmp_path: Path) -> None:
    """Built, installed elsewhere, started: the README's second block."""
    script = f"""
        set -eux
        tools/uv build --quiet --wheel --out-dir {tmp_path}/dist
        tools/uv venv --quiet {tmp_path}/venv
        python={tmp_path}/venv/bin/python
        tools/uv pip install --quiet --python $python {tmp_path}/dist/skerry-*.whl
        cd {tmp_path}
        venv/bin/skerry up --data cloud --listen 127.0.0.1:0 --jurisdiction SE 2>up.log &
        for i in $(seq 300); do grep -q 'is up' up.log && break; sleep 0.2; done
        for i in $(seq 300); do venv/bin/skerry offer list -o name | grep -q . && break; done
        venv/bin/skerry run --cpus 1 -- python3 -c 'print(6*7)' > said
        venv/bin/skerry down --data cloud
    """
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    subprocess.run(["bash", "-c", script], cwd=ROOT, env=env, timeout=600, check=True)
    assert (tmp_path / "said").read_text() == "42\n"
