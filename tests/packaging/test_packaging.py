"""The units and the container file: looked over by their own tools, their commands taken by ours,
and the lines that build exercised one by one. Neither is started by its manager here: no test runs
under systemd, and a container is built only where the base image is at hand."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from skerry.commands import COMMANDS

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "packaging"
UNITS = sorted(HERE.glob("*.service"))
PROGRAM = "/opt/skerry/bin/skerry"
APART = (
    "InaccessiblePaths", "PrivateDevices", "PrivateMounts", "PrivateTmp", "ProtectControlGroups",
    "ProtectHome", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
    "ProtectProc", "ProtectSystem", "ReadOnlyPaths", "ReadWritePaths", "RootDirectory",
    "TemporaryFileSystem",
)  # fmt: skip
"""Options that give a service a mount namespace of its own (systemd.exec(5))."""


def options(unit: Path) -> dict[str, str]:
    pairs = re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.M)
    return {name: value.strip() for name, value in pairs}


def taken(words: list[str]) -> click.Context:
    """A command's words, parsed by the command itself."""
    return COMMANDS[words[0]].make_context(words[0], words[1:])


def looked_over(unit: Path, place: Path) -> Path:
    """As it would be here: with a program and a user that there are."""
    text = unit.read_text().replace(PROGRAM, sys.executable)
    text = re.sub(r"^(User|Group)=skerry$", r"\1=daemon", text, flags=re.M)
    copy = place / unit.name
    copy.write_text(text)
    return copy


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    copy = looked_over(unit, tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_its_command_is_one_of_ours(unit: Path) -> None:
    program, *words = shlex.split(options(unit)["ExecStart"])
    assert program == PROGRAM
    found = taken(words).params
    assert str(found["data"]) == f"/var/lib/{options(unit)['StateDirectory']}"
    assert options(unit)["StateDirectoryMode"] == "0700"


def test_what_runs_tasks_leaves_their_mounts_and_processes_alone() -> None:
    found = options(HERE / "skerry.service")
    assert found["KillMode"] == "process"
    assert found["Delegate"] == "yes"
    assert set(APART) & found.keys() == set()


def test_a_server_without_tasks_has_next_to_no_rights(tmp_path: Path) -> None:
    copy = looked_over(HERE / "skerry-server.service", tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(copy)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= 2.0
    assert options(HERE / "skerry-server.service")["User"] == "skerry"


def instructions() -> list[tuple[str, str]]:
    text = (HERE / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def test_the_container_file_keeps_to_the_rules() -> None:
    found = instructions()
    assert {word for word, _ in found} <= {
        "FROM", "COPY", "RUN", "USER", "VOLUME", "ENV", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT",
        "CMD",
    }  # fmt: skip
    for word, rest in found:
        if word == "FROM":
            assert re.fullmatch(r"docker\.io/\S+:[\w.-]*\d[\w.-]*( AS \w+)?", rest), rest
    users = [rest for word, rest in found if word == "USER"]
    assert users == ["skerry"]
    after = [word for word, _ in found[[word for word, _ in found].index("USER") :]]
    assert "RUN" not in after
    assert json.loads(dict(found)["ENTRYPOINT"]) == [PROGRAM]
    assert taken(json.loads(dict(found)["CMD"])).params["no_agent"] is True
    check = json.loads(dict(found)["HEALTHCHECK"].partition("CMD ")[2])
    assert check[0] == PROGRAM
    assert taken(check[1:]).params["no_agent"] is True
    for kept in re.findall(r"^!(.+)$", (ROOT / ".containerignore").read_text(), re.M):
        assert (ROOT / kept).exists(), kept


def built(folder: Path) -> Path:
    """The lines of the first stage, run here; the program."""
    for word, line in instructions():
        if word == "FROM" and "AS build" not in line:
            break
        if word == "RUN":
            here = line.replace("/opt/", f"{folder}/").replace("/source", str(ROOT))
            subprocess.run(["sh", "-ec", here.replace("python3", sys.executable)], check=True)
    return folder / "skerry/bin/skerry"


@pytest.mark.long
def test_what_is_built_by_it_starts_and_is_well(tmp_path: Path) -> None:
    """Each line that builds, here; and then the command and the check of the container."""
    skerry = built(tmp_path)
    assert not list((tmp_path / "skerry").rglob("site-packages/pytest"))
    words, data = json.loads(dict(instructions())["CMD"]), tmp_path / "data"
    words[words.index("127.0.0.1:8422")] = "127.0.0.1:0"
    env = {"SKERRY_DATA": str(data), "SKERRY_NO_CONTEXT": "1", "PATH": "/usr/bin:/bin"}
    listen = ["--listen", "127.0.0.1:0", "--gateway", "none"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([skerry, *words, *listen], env=env, stdout=log, stderr=log)
        try:
            while not (data / "server.json").exists():
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.1)
            checked = subprocess.run(
                [skerry, "doctor", "--no-agent"], env=env, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert checked.returncode == 0, checked.stdout
            assert (data / "operator.token").stat().st_mode & 0o777 == 0o600
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def test_the_lines_of_the_second_stage_make_a_user_and_its_directory(tmp_path: Path) -> None:
    """In a directory instead of an image: what useradd and install are asked is what they know."""
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group", "shadow", "gshadow"):
        (tmp_path / "etc" / name).touch()
    found = instructions()
    second = found[[w for w, _ in found].index("FROM", 1) :]
    useradd, install = [line for word, line in second if word == "RUN"]
    useradd = useradd.replace("useradd", f"useradd --prefix {tmp_path}")
    subprocess.run(["sh", "-ec", f"PATH=$PATH:/usr/sbin; {useradd}"], check=True)
    assert "skerry:x:990:" in (tmp_path / "etc/passwd").read_text()
    install = install.replace("-o skerry -g skerry /data", f"-o 990 -g 990 {tmp_path}/data")
    subprocess.run(["sh", "-ec", install], check=True)
    facts = (tmp_path / "data").stat()
    assert (facts.st_uid, facts.st_mode & 0o777) == (990, 0o700)


@pytest.mark.long
def test_it_is_built_where_the_base_is_at_hand(tmp_path: Path) -> None:
    """Nowhere is it fetched by a test; without podman and the base, nothing is claimed."""
    base = instructions()[0][1].split()[0]
    try:
        there = subprocess.run(
            ["podman", "image", "exists", base], capture_output=True, check=False
        )
    except FileNotFoundError:
        return
    if there.returncode == 0:
        command = ["podman", "build", "--pull=never", "-f", HERE / "Containerfile", ROOT]
        subprocess.run(command, check=True)
