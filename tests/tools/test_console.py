"""How the console is built: when, with which Node, and what happens where it can't be; that its
types are those of the API; and its own tests, which run under Vitest."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import hatch_build
import pytest

ROOT = Path(hatch_build.__file__).parent
API = ROOT / "src" / "skerry" / "api" / "openapi.json"


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources of a console, as the hook sees them; and no Node to build them with."""
    folder = tmp_path / "console"
    for name in (*hatch_build._BUILT, "src/main.tsx", "src/main.test.tsx", "public/logo.svg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(hatch_build, "CONSOLE", folder)
    monkeypatch.setattr(hatch_build, "STATIC", tmp_path / "static")
    monkeypatch.setattr(hatch_build, "_machines", lambda: None)
    monkeypatch.setattr(hatch_build, "find_spec", lambda name: None)
    monkeypatch.delenv("SKERRY_SKIP_CONSOLE", raising=False)
    return folder


def built() -> None:
    hatch_build.STATIC.mkdir(exist_ok=True)
    (hatch_build.STATIC / hatch_build.MARK).write_text(hatch_build.fingerprint())


def wanted() -> list[str]:
    return hatch_build.ConsoleHook.dependencies(hatch_build.ConsoleHook.__new__(
        hatch_build.ConsoleHook
    ))  # fmt: skip


def test_what_is_built_is_not_built_again(console: Path) -> None:
    built()
    assert hatch_build.ensure()
    assert wanted() == []
    (console / "src" / "main.test.tsx").write_text("a test is no part of it")
    assert hatch_build.ensure()


@pytest.mark.parametrize("name", ["src/main.tsx", "public/logo.svg", "package-lock.json"])
def test_a_change_of_its_sources_is_seen(console: Path, name: str) -> None:
    built()
    (console / name).write_text("changed")
    assert wanted() == [hatch_build.NODE]


def test_what_is_deleted_or_renamed_is_seen(console: Path) -> None:
    built()
    (console / "src" / "main.tsx").rename(console / "src" / "other.tsx")
    assert wanted() == [hatch_build.NODE]


def test_assets_that_came_without_sources_are_taken_as_they_are(
    console: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built()
    monkeypatch.setattr(hatch_build, "CONSOLE", tmp_path / "nowhere")
    assert hatch_build.ensure()
    assert wanted() == []


def test_without_node_the_server_is_installed_all_the_same(
    console: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not hatch_build.ensure()
    said = capsys.readouterr().err
    assert "the web console was not built" in said
    assert "make console" in said
    assert not hatch_build.STATIC.exists()
    assert hatch_build.main(["build"]) == 0
    assert hatch_build.main(["build", "--force"]) == 1


def test_it_can_be_left_out(console: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_SKIP_CONSOLE", "1")
    assert wanted() == []
    assert hatch_build.main(["build"]) == 0
    assert not hatch_build.STATIC.exists()


@pytest.mark.parametrize(("said", "taken"), [("v20.20.2", False), ("v22.4.0", True), ("?", False)])
def test_the_machines_node_is_taken_where_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, taken: bool
) -> None:
    node, script = tmp_path / "node", tmp_path / "npm-cli.js"
    node.write_text(f"#!/bin/sh\necho '{said}'\n")
    script.touch()
    for path in (node, script):
        path.chmod(0o755)
    (tmp_path / "npm").symlink_to(script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.delenv("SKERRY_NODE_FROM_WHEEL", raising=False)
    assert hatch_build._machines() == ((node, script) if taken else None)
    monkeypatch.setenv("SKERRY_NODE_FROM_WHEEL", "1")
    assert hatch_build._machines() is None


def npm(folder: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "hatch_build.py", "npm", folder, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_types_are_those_of_the_api(tmp_path: Path) -> None:
    fresh = tmp_path / "schema.d.ts"
    npm("tools/tsgen", "exec", "--", "node", "generate.mjs", str(API), str(fresh))
    committed = ROOT / "console" / "src" / "api" / "schema.d.ts"
    assert committed.read_text() == fresh.read_text(), "make generate"


def test_its_own_tests_pass() -> None:
    npm("console", "run", "--silent", "test")


@pytest.mark.long
def test_a_wheel_has_it_and_one_from_an_sdist_asks_no_node(tmp_path: Path) -> None:
    clone, dist, none = tmp_path / "clone", tmp_path / "dist", tmp_path / "none"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    uv = [str(ROOT / "tools" / "uv"), "build", "--quiet", "--out-dir", str(dist)]
    env = {**os.environ, "SKERRY_NODE_FROM_WHEEL": "1"}
    subprocess.run([*uv, "--sdist", str(clone)], check=True, env=env)
    none.mkdir()
    for name in ("node", "npm"):
        (none / name).write_text("#!/bin/sh\nexit 1\n")
        (none / name).chmod(0o755)
    (sdist,) = dist.glob("*.tar.gz")
    env = {**os.environ, "PATH": f"{none}:{os.environ['PATH']}"}
    subprocess.run([*uv, "--wheel", str(sdist)], check=True, env=env)
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    assert "skerry/api/static/index.html" in names
    assert any(name.startswith("skerry/api/static/assets/") for name in names)


def test_its_first_load_is_small() -> None:
    """What every page needs before its own chunk; the overview adds some 35 kB."""
    assert hatch_build.ensure()
    page = (hatch_build.STATIC / "index.html").read_text()
    scripts = re.findall(r'(?:src|href)="/console/(assets/[^"]+\.js)"', page)
    assert scripts
    packed = [hatch_build.STATIC / f"{name}.br" for name in scripts]
    size = sum(path.stat().st_size for path in packed if path.exists())
    assert 50_000 < size <= 215_000, f"{size} bytes of compressed JavaScript"
