"""The twin's language: what a simulated task does, step by step.

JSON, a list of steps, each a list of its name and its values, like
``[["print", "hello"], ["sleep", 2], ["exit", 3]]``. A step either takes no time or says how long
it takes; the task's ``Context`` is all it can touch.
"""

import math
import signal
from typing import Annotated, Literal, Protocol

import msgspec

from skerry.sites.checks import check_path
from skerry.sites.contract import Refused

Stream = Literal["stdout", "stderr"]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Size = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
Piece = Annotated[int, msgspec.Meta(ge=0, le=64 << 20)]
Code = Annotated[int, msgspec.Meta(ge=0, le=255)]
PIECE = 4096

FOR_EVER = math.inf


class Exit(Exception):
    """The task is over."""

    def __init__(self, code: int, reason: str = "", message: str = "") -> None:
        super().__init__(code)
        self.code, self.reason, self.message = code, reason, message


class Lost(Exception):
    """The site lost the task: nobody will ever know how it ended."""


class Context(Protocol):
    """What a step can do to its task."""

    cores: float
    memory_limit: int
    memory: int
    cpu_seconds: float
    handlers: dict[int, int | None]
    listening: set[int]
    serving: dict[int, str]
    env: dict[str, str]

    def say(self, data: bytes, stream: Stream = "stdout") -> None: ...

    def read(self, path: str) -> bytes | None: ...

    def mode(self, path: str) -> int | None: ...

    def write(self, path: str, data: bytes) -> None: ...

    def remove(self, path: str) -> None: ...

    def again(self) -> None: ...

    def kill(self, number: int) -> None: ...


class _Step(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    def check(self) -> None:
        """Refuse values that can't be."""

    def do(self, task: Context) -> float:
        """Do it; the answer is how many seconds it takes."""
        raise NotImplementedError


class Print(_Step, tag="print", frozen=True):
    text: str
    stream: Stream = "stdout"

    def do(self, task: Context) -> float:
        task.say(self.text.encode() + b"\n", self.stream)
        return 0


class Lines(_Step, tag="lines", frozen=True):
    """``count`` numbers, one a line, zero-padded to ``width`` bytes with the newline."""

    count: Piece
    width: Annotated[int, msgspec.Meta(ge=2, le=PIECE)]

    def check(self) -> None:
        if self.count * self.width > 64 << 20:
            raise Refused("BadWorkload", "a simulated task prints at most 64 MiB in one step")

    def do(self, task: Context) -> float:
        batch = PIECE // self.width
        for start in range(0, self.count, batch):
            numbers = range(start, min(self.count, start + batch))
            task.say(b"".join(b"%0*d\n" % (self.width - 1, n) for n in numbers))
        return 0


class Env(_Step, tag="env", frozen=True):
    """Print a variable's value."""

    name: str

    def do(self, task: Context) -> float:
        task.say(task.env.get(self.name, "unset").encode() + b"\n")
        return 0


class Sleep(_Step, tag="sleep", frozen=True):
    seconds: Seconds

    def do(self, task: Context) -> float:
        return self.seconds


class Stay(_Step, tag="stay", frozen=True):
    """Until a signal comes."""

    def do(self, task: Context) -> float:
        return FOR_EVER


class Burn(_Step, tag="burn", frozen=True):
    """Use so many seconds of one core; with less than a core it takes longer."""

    seconds: Seconds

    def do(self, task: Context) -> float:
        task.cpu_seconds += self.seconds
        return self.seconds / min(1.0, task.cores)


class Allocate(_Step, tag="allocate", frozen=True):
    """Hold so many bytes of memory from now on."""

    size: Size

    def do(self, task: Context) -> float:
        task.memory += self.size
        if task.memory > task.memory_limit:
            raise Exit(128 + signal.SIGKILL, "OutOfMemory", "it used more memory than it asked for")
        return 0


class Write(_Step, tag="write", frozen=True):
    path: str
    text: str

    def check(self) -> None:
        check_path(self.path.removeprefix("/"))

    def do(self, task: Context) -> float:
        task.write(self.path, self.text.encode())
        return 0


class Fill(_Step, tag="fill", frozen=True):
    """Write a file of zero bytes."""

    path: str
    size: Piece

    def check(self) -> None:
        check_path(self.path.removeprefix("/"))

    def do(self, task: Context) -> float:
        task.write(self.path, bytes(self.size))
        return 0


class Remove(_Step, tag="remove", frozen=True):
    """Remove a file, if it is there."""

    path: str

    def check(self) -> None:
        check_path(self.path)

    def do(self, task: Context) -> float:
        task.remove(self.path)
        return 0


class Link(_Step, tag="link", frozen=True):
    """Make a symbolic link. No file of a simulated site is reached through one."""

    path: str
    target: str

    def do(self, task: Context) -> float:
        return 0


class Cat(_Step, tag="cat", frozen=True):
    path: str

    def do(self, task: Context) -> float:
        content = task.read(self.path)
        if content is None:
            task.say(f"cat: {self.path}: no such file\n".encode(), "stderr")
        else:
            for start in range(0, len(content), PIECE):
                task.say(content[start : start + PIECE])
        return 0


class Mode(_Step, tag="mode", frozen=True):
    """Print a file's mode in octal."""

    path: str

    def do(self, task: Context) -> float:
        mode = task.mode(self.path)
        task.say(b"none\n" if mode is None else b"%o\n" % mode)
        return 0


class Trap(_Step, tag="trap", frozen=True):
    """From now on exit with ``code`` when the signal comes."""

    signal: str
    code: Code

    def check(self) -> None:
        number(self.signal)

    def do(self, task: Context) -> float:
        task.handlers[number(self.signal)] = self.code
        return 0


class Ignore(_Step, tag="ignore", frozen=True):
    signal: str

    def check(self) -> None:
        number(self.signal)

    def do(self, task: Context) -> float:
        task.handlers[number(self.signal)] = None
        return 0


class Kill(_Step, tag="kill", frozen=True):
    """Send itself a signal."""

    signal: str

    def check(self) -> None:
        number(self.signal)

    def do(self, task: Context) -> float:
        task.kill(number(self.signal))
        return 0


class Leave(_Step, tag="leave", frozen=True):
    """Leave a child behind. It ends with the task: the twin has no processes."""

    seconds: Seconds

    def do(self, task: Context) -> float:
        return 0


class Serve(_Step, tag="serve", frozen=True):
    """Print ``serving``; send back what comes in on the port, for ever."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]

    def do(self, task: Context) -> float:
        task.listening.add(self.port)
        task.say(b"serving\n")
        return FOR_EVER


class Listen(_Step, tag="listen", frozen=True):
    """Send back what comes in on the port from now on."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]

    def do(self, task: Context) -> float:
        task.listening.add(self.port)
        return 0


class Http(_Step, tag="http", frozen=True):
    """From now on answer health checks on the port: 200 while there is a file ``well``, else 503.
    Whoever else connects gets back what they send."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]

    def do(self, task: Context) -> float:
        task.listening.add(self.port)
        task.serving[self.port] = "well"
        return 0


class Meet(_Step, tag="meet", frozen=True):
    """Print how many tasks of its gang it has met: all, at once."""

    def do(self, task: Context) -> float:
        task.say(b"met %s\n" % task.env.get("WORLD_SIZE", "nobody").encode())
        return 0


class Again(_Step, tag="again", frozen=True):
    """Start over from the first step."""

    def do(self, task: Context) -> float:
        task.again()
        return 0


class Lose(_Step, tag="lose", frozen=True):
    """The site loses the task."""

    def do(self, task: Context) -> float:
        raise Lost


class End(_Step, tag="exit", frozen=True):
    code: Code = 0
    reason: str = ""
    message: str = ""

    def do(self, task: Context) -> float:
        raise Exit(self.code, self.reason, self.message)


Step = (
    Print | Lines | Env | Sleep | Stay | Burn | Allocate | Write | Remove | Fill | Link | Cat | Mode
    | Trap | Ignore | Kill | Leave | Serve | Http | Listen | Meet | Again | Lose | End
)  # fmt: skip
Script = tuple[Step, ...]


def number(name: str) -> int:
    """The number of a signal such as ``TERM``; refused (``BadSignal``) if there is none."""
    try:
        return signal.Signals[f"SIG{name}"].value
    except KeyError as error:
        raise Refused("BadSignal", f"{name!r} is not a signal's name") from error


def parse(text: str) -> Script:
    """Read a script; what is wrong with it is refused (``BadWorkload``) in words."""
    try:
        steps = msgspec.json.decode(text, type=Script)
    except msgspec.DecodeError as error:
        raise Refused("BadWorkload", f"SKERRY_SIM can't be read: {error}") from error
    for step in steps:
        step.check()
    repeated = next((n for n, step in enumerate(steps) if isinstance(step, Again)), None)
    if repeated is not None and not any(
        isinstance(step, Sleep | Burn) and step.seconds >= 0.001 for step in steps[:repeated]
    ):
        raise Refused("BadWorkload", "a simulated task that starts over must sleep in between")
    return steps
