"""The shim's own life: get the plan, get ready, wait for the go, carry on to the end, tell."""

import contextlib
import json
import os
import signal
import sys

from . import record
from .log import LogWriter
from .plan import DECISION, DIES_AT, LOG, RESERVE, Plan
from .sandbox import adopt_orphans
from .task import Task


def main() -> None:
    """Arguments: the task's directory, the socket to the driver, the locked lock file."""
    directory, channel, lock = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for descriptor in (channel, lock):
        os.set_inheritable(descriptor, False)
    if os.fork():
        os._exit(0)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    os.chdir(directory)
    adopt_orphans()
    _step("born")
    plan = Plan(json.loads(_line(channel)))
    for descriptor in plan.descriptors:
        os.set_inheritable(descriptor, False)
    task = Task(plan, LogWriter(LOG, plan.log_bytes), lock)
    try:
        record.make_reserve(RESERVE)
        task.prepare(channel)
    except OSError as error:
        task.abandon()
        _tell(channel, {"error": str(error)})
        return
    _step("ready")
    _tell(channel, {"ready": True})
    _step("told")
    if not _let_go(channel):
        task.abandon()
        return
    _step("let go")
    task.begin()
    _step("begun")
    _tell(channel, {"begun": True})
    os.close(channel)
    task.live()


def _let_go(channel: int) -> bool:
    """Whether to start: as the driver says, or as it has decided if it died before saying it."""
    try:
        word = os.read(channel, 16)
    except ConnectionResetError:
        word = b""
    if word:
        return word == b"go\n"
    try:
        with open(f"../../{DECISION}") as file:
            return bool(json.load(file)["go"])
    except FileNotFoundError:
        return False


def _line(channel: int) -> bytes:
    """The plan. Ends the shim if the driver dies before it has sent it whole."""
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(channel, 1 << 16)
        if not part:
            sys.exit()
        data += part
    return data


def _tell(channel: int, message: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        # A driver that has died has left its decision, or none.
        os.write(channel, json.dumps(message).encode() + b"\n")


def _step(name: str) -> None:
    if os.environ.get(DIES_AT) == name:
        os.kill(os.getpid(), signal.SIGKILL)
