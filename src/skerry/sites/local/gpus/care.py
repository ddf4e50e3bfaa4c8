"""Looks after the devices: what is wrong with them, and that the next tenant finds them empty.

**Sick** is a device that does not answer (fallen off the bus), reads sick (memory errors that could
not be corrected, rows or pages that wait for a reset, heat), had a critical event (an Xid that no
program's own mistake explains), or is used by somebody else while nobody leases it. A sick device
is not free; what runs on it goes on. It is well again once it has read well ``WELL`` times in a
row. An event is not read, so it is remembered, on disk too, until the host is started again or the
operator names the device in ``trustedGpus``.

**Between two leases** a device rests: what the last task has left running on it is ended, nothing
else ever is, and its memory has to be given back to what it was when nobody used it.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import structlog

from skerry.sites.local.gpus.device import Gone
from skerry.sites.local.gpus.host import Gpus

WELL = 3
"""Looks that must be good before a sick device is used again."""
EVERY = 10.0
"""Seconds between two looks."""
_SLACK = 256 << 20
"""Bytes of a device's memory that may be taken by nobody, and ..."""
_SHARE = 64
"""... the part of it, where that is more."""
_PATIENCE = 20.0
"""Seconds that the driver may take to give memory back."""
_log = structlog.get_logger("local")


class _Happened(msgspec.Struct, frozen=True, rename="camel"):
    words: str
    boot: str


class Care:
    """``ours`` tells of a process which of our tasks it belongs to; empty: to none."""

    def __init__(
        self,
        gpus: Gpus,
        file: Path,
        boot: str,
        ours: Callable[[int], str],
        trusted: Iterable[str] = (),
    ) -> None:
        self._gpus, self._file, self._boot, self._ours = gpus, file, boot, ours
        self._happened = {
            uuid: one
            for uuid, one in self._kept().items()
            if one.boot == boot and uuid not in set(trusted)
        }
        self._good: dict[str, int] = {}
        self._empty: dict[str, int] = {}
        """The least of its memory that was ever taken while nobody used it."""
        self._turn = threading.Lock()

    def look(self, leased: Iterable[str]) -> bool:
        """Look at all devices once; whether anything about who is sick is new. Blocking."""
        with self._turn:
            held = set(leased)
            for event in self._gpus.events():
                self._happened[event.uuid] = _Happened(event.words, self._boot)
                self._keep()
            before = dict(self._gpus.sick)
            for gpu in self._gpus.devices:
                self._judge(gpu.uuid, self._found(gpu.uuid, gpu.uuid in held))
            return before != self._gpus.sick

    def _judge(self, uuid: str, sick: str) -> None:
        known = uuid in self._gpus.sick
        if sick:
            self._good[uuid] = 0
            if self._gpus.sick.get(uuid) != sick:
                _log.warning("GPU is sick", uuid=uuid, why=sick)
            self._gpus.sick[uuid] = sick
        elif known:
            self._good[uuid] = self._good.get(uuid, 0) + 1
            if self._good[uuid] >= WELL:
                _log.info("GPU is well again", uuid=uuid)
                del self._gpus.sick[uuid]

    def _found(self, uuid: str, leased: bool) -> str:
        """What is wrong with it now; empty: nothing."""
        if uuid in self._happened:
            return self._happened[uuid].words
        try:
            reading = self._gpus.look(uuid)
        except Gone as gone:
            return str(gone)
        if reading.sick or leased or uuid in self._gpus.resting:
            return reading.sick
        strangers = [pid for pid in reading.users if not self._ours(pid)]
        if strangers:
            return f"process {strangers[0]}{_name(strangers[0])} uses it, and is none of ours"
        if not reading.users and reading.taken is not None:
            self._empty[uuid] = min(reading.taken, self._empty.get(uuid, reading.taken))
        return self._left(uuid, reading.taken)

    def _left(self, uuid: str, taken: int | None) -> str:
        if taken is None or uuid not in self._empty:
            return ""
        size = next(gpu.memory for gpu in self._gpus.devices if gpu.uuid == uuid)
        more = taken - self._empty[uuid]
        if more <= max(_SLACK, size // _SHARE):
            return ""
        return f"{more >> 20} MiB of its memory are taken though nobody uses it: reset it"

    def clear(self, uuids: Iterable[str], task: str) -> None:
        """The task that had these devices has ended: see that they are empty. Blocking."""
        for uuid in uuids:
            until = time.monotonic() + _PATIENCE
            while (trouble := self._clear(uuid, task)) and time.monotonic() < until:
                time.sleep(0.1)
            with self._turn:
                self._gpus.resting.discard(uuid)
                if trouble:
                    self._judge(uuid, trouble)

    def _clear(self, uuid: str, task: str) -> str:
        try:
            reading = self._gpus.look(uuid)
        except Gone as gone:
            return str(gone)
        for pid in reading.users:
            if self._ours(pid) == task:
                _log.warning("left on a GPU", task=task, process=pid, uuid=uuid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if reading.users:
            pid = reading.users[0]
            return f"process {pid}{_name(pid)} still uses it after its lease"
        return self._left(uuid, reading.taken)

    def _kept(self) -> dict[str, _Happened]:
        with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, _Happened])
        return {}

    def _keep(self) -> None:
        with contextlib.suppress(OSError):  # a full disk: then it is known until we end
            new = self._file.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(self._happened))
            new.replace(self._file)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return f" ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    return ""
