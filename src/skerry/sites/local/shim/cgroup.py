"""One task's control group, version 1 or 2: limits, use, and its end. Only system calls.

The directories are chosen by the driver (``cgroups``). Limits are set once the sandbox stands:
what the engine itself needs to set it up is not taken from the task.
"""

import contextlib
import os
import signal
import time

PERIOD = 100_000
"""Microseconds over which processor time is rationed: the kernel's own default."""
LEAST_QUOTA = 1_000
"""Microseconds; the kernel takes no less."""
_TRIES = 500


class Group:
    """``directories`` by controller; version 2 has a single one under the name ``""``.

    Without any, it is a group without limits and without members.
    """

    def __init__(self, directories: dict[str, str]) -> None:
        self._directories = directories
        self._unified = directories.get("")

    def make(self) -> None:
        """Raises ``OSError``."""
        for directory in self._directories.values():
            os.makedirs(directory, exist_ok=True)

    def join(self) -> None:
        """Move the calling process into it."""
        for directory in self._directories.values():
            _write(f"{directory}/cgroup.procs", "0")

    def limit(self, millicores: int, memory: int, pids: int) -> None:
        """Set the limits: thousandths of a core, bytes, processes. Raises ``OSError``."""
        if not self._directories:
            return
        quota = max(millicores * PERIOD // 1000, LEAST_QUOTA)
        if self._unified is not None:
            _write(f"{self._unified}/cpu.max", f"{quota} {PERIOD}")
            _write(f"{self._unified}/memory.max", str(memory))
            with contextlib.suppress(FileNotFoundError):  # a kernel without swap
                _write(f"{self._unified}/memory.swap.max", "0")
            _write(f"{self._unified}/pids.max", str(pids))
            return
        _write(f"{self._directories['cpu']}/cpu.cfs_period_us", str(PERIOD))
        _write(f"{self._directories['cpu']}/cpu.cfs_quota_us", str(quota))
        _write(f"{self._directories['memory']}/memory.limit_in_bytes", str(memory))
        with contextlib.suppress(FileNotFoundError):  # a kernel that does not account for swap
            _write(f"{self._directories['memory']}/memory.memsw.limit_in_bytes", str(memory))
        _write(f"{self._directories['memory']}/memory.max_usage_in_bytes", "0")
        _write(f"{self._directories['pids']}/pids.max", str(pids))

    def out_of_memory(self) -> bool:
        """Whether the kernel has killed a process of it for lack of memory."""
        if not self._directories:
            return False
        if self._unified is not None:
            return _field(f"{self._unified}/memory.events", "oom_kill") > 0
        return _field(f"{self._directories['memory']}/memory.oom_control", "oom_kill") > 0

    def use(self) -> dict[str, int]:
        """Processor nanoseconds, bytes of memory now and at most, processes."""
        if not self._directories:
            return dict.fromkeys(("cpu", "memory", "peak", "pids"), 0)
        if self._unified is not None:
            return {
                "cpu": _field(f"{self._unified}/cpu.stat", "usage_usec") * 1000,
                "memory": _number(f"{self._unified}/memory.current"),
                "peak": _number(f"{self._unified}/memory.peak"),
                "pids": _number(f"{self._unified}/pids.current"),
            }
        memory = self._directories["memory"]
        return {
            "cpu": _number(f"{self._directories['cpuacct']}/cpuacct.usage"),
            "memory": _number(f"{memory}/memory.usage_in_bytes"),
            "peak": _number(f"{memory}/memory.max_usage_in_bytes"),
            "pids": _number(f"{self._directories['pids']}/pids.current"),
        }

    def cache(self) -> int:
        """Bytes of its memory that are files, which the kernel drops before anything is killed."""
        if self._unified is not None:
            return _field(f"{self._unified}/memory.stat", "inactive_file")
        directory = self._directories.get("memory")
        return _field(f"{directory}/memory.stat", "total_inactive_file") if directory else 0

    def processes(self) -> list[int]:
        if not self._directories:
            return []
        directory = self._unified if self._unified is not None else self._directories["pids"]
        with contextlib.suppress(FileNotFoundError):
            return [int(pid) for pid in _read(f"{directory}/cgroup.procs").split()]
        return []

    def kill(self) -> None:
        """Kill all its processes, however fast they multiply. Raises ``TimeoutError``."""
        for _ in range(_TRIES):
            pids = self.processes()
            if not pids:
                return
            if not self._kill_at_once():
                self._freeze(True)
                for pid in self.processes():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._freeze(False)
            time.sleep(0.01)
        raise TimeoutError(f"processes {self.processes()} can't be killed")

    def remove(self) -> None:
        """Remove the directories; the group must be empty. Raises ``OSError``."""
        for directory in self._directories.values():
            for attempt in range(_TRIES):
                try:
                    os.rmdir(directory)
                except FileNotFoundError:
                    break
                except OSError:
                    # The kernel lets go of the dead a moment after their end is told.
                    if attempt == _TRIES - 1:
                        raise
                    time.sleep(0.01)

    def _kill_at_once(self) -> bool:
        if self._unified is None:
            return False
        try:
            _write(f"{self._unified}/cgroup.kill", "1")
        except FileNotFoundError:  # before Linux 5.14
            return False
        return True

    def _freeze(self, frozen: bool) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._unified is not None:
                _write(f"{self._unified}/cgroup.freeze", str(int(frozen)))
            elif "freezer" in self._directories:
                state = "FROZEN" if frozen else "THAWED"
                _write(f"{self._directories['freezer']}/freezer.state", state)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
        return b"".join(parts).decode()
    finally:
        os.close(descriptor)


def _number(path: str) -> int:
    """0 if the kernel does not have the file."""
    with contextlib.suppress(FileNotFoundError):
        return int(_read(path))
    return 0


def _field(path: str, name: str) -> int:
    """0 if the kernel does not have the file, or the field."""
    with contextlib.suppress(FileNotFoundError):
        for line in _read(path).splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0
