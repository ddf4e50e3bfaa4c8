"""One real Postgres for the whole run, and a fresh database for each test that asks.

The first test that needs it starts an embedded server (0.6 s, without fsync) and migrates a
template; all workers of the run share it. Each test gets its own copy of the template, so tests
see nothing of each other. The run's directory is removed at the end, and what a killed run left
behind is removed by the next one.
"""

import asyncio
import contextlib
import fcntl
import os
import select
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from skerry.store.database import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

_RUN = "SKERRY_TEST_RUN"

# A busy machine is no bug: no test asserts a wall-clock time, hypothesis's least of all.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")


def _fastest_place() -> Path:
    """Memory, if there is 2 GiB of it to be had: databases are copied twenty times faster there."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3:
        return memory
    return Path(tempfile.gettempdir())


_RUNS = _fastest_place() / f"skerry-tests-{os.getuid()}"
_LOCKS: list[int] = []


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a directory that its workers find, and clear away those of the dead."""
    if hasattr(config, "workerinput"):
        return
    _RUNS.mkdir(mode=0o700, exist_ok=True)
    with _locked(_RUNS / "lock"):
        for left in _RUNS.glob("run-*"):
            _remove_if_abandoned(left)
        run = Path(tempfile.mkdtemp(prefix="run-", dir=_RUNS))
        owner = os.open(run / "owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(owner, fcntl.LOCK_EX)
        _LOCKS.append(owner)
        (run / "pid").write_text(str(os.getpid()))
    os.environ[_RUN] = str(run)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _LOCKS:
        _end_keeper(Path(os.environ[_RUN]) / "keeper")
        os.close(_LOCKS.pop())
        with _locked(_RUNS / "lock"):
            _remove_if_abandoned(Path(os.environ.pop(_RUN)))


def _end_keeper(pid: Path) -> None:
    """Let what keeps the run's Kubernetes, if any does, end it; that takes some seconds."""
    if pid.exists():
        with contextlib.suppress(ProcessLookupError):
            keeper = os.pidfd_open(int(pid.read_text()))
            signal.pidfd_send_signal(keeper, signal.SIGTERM)
            select.select([keeper], [], [])


def _remove_if_abandoned(run: Path) -> None:
    with (run / "owner").open("w") as owner:
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if (run / "postgres").exists():
            _elsewhere(_stop_left(run / "postgres"))
        shutil.rmtree(run)


async def _stop_left(data_dir: Path) -> None:
    """End a server that another process started: adopt it, if it is there, then stop it."""
    postgres = EmbeddedPostgres(data_dir, fsync=False)
    await postgres.start()
    await postgres.stop()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _elsewhere(work):
    """Run a coroutine on a loop of its own: pytest-asyncio's are none of our business."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def _postgres() -> EmbeddedPostgres:
    """The run's server, started by whichever worker comes first, stopped when the run ends."""
    run = Path(os.environ[_RUN])
    postgres = EmbeddedPostgres(run / "postgres", fsync=False)
    with _locked(run / "starting"):
        if not (run / "ready").exists():
            _elsewhere(_prepare(postgres))
            (run / "ready").touch()
    return postgres


async def _prepare(postgres: EmbeddedPostgres) -> None:
    await postgres.start()
    connection = await asyncpg.connect(postgres.url_of("postgres"))
    try:
        await connection.execute("create database template")
        await migrate(postgres.url_of("template"))
    finally:
        await connection.close()
        # Another worker may outlive us, so nobody owns it until the run ends.
        postgres.leave()


@asynccontextmanager
async def _database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.url_of("postgres"))
    try:
        await connection.execute(f"create database {name} template {template} strategy file_copy")
        yield postgres.url_of(name)
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


@pytest.fixture
async def pg_url(_postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a migrated database of this test's own."""
    async with _database(_postgres, "template") as url:
        yield url


@pytest.fixture
async def empty_url(_postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    async with _database(_postgres, "template0") as url:
        yield url


@pytest.fixture
async def db(pg_url: str) -> AsyncIterator[Database]:
    """An open pool on a migrated database of this test's own."""
    database = await Database.open(pg_url)
    yield database
    await database.close()
