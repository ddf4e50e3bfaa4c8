"""The last program before a task's command, inside its sandbox, and then the command itself.

Run by the host's own Python as ``python -I -S FILE UID``, in an empty environment: engines, shells
and loaders must not meet the tenant's variables (``LD_PRELOAD``), nor a shell the tenant's
names. It becomes the task's user for good, if the engine has not done so, says that the sandbox
stands, and waits at the gate. What comes through the gate is the command and its variables,
secrets included, which so are in no file, no list of arguments and no engine's configuration.
"""

import ctypes
import json
import os
import signal
import sys

READY, GATE = 3, 4
_HIGHEST = 64
"""No descriptor that was handed on is higher."""
_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION = 0x20080522


def main() -> None:
    for unusual in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(unusual, signal.SIG_DFL)  # Python's own ways with them are not the command's
    become(int(sys.argv[1]))
    os.write(READY, b"\n")
    os.close(READY)
    with open(GATE, "rb") as gate:
        order = json.loads(gate.read() or b"null")
    if order is None:
        os._exit(125)  # the gate was never opened
    os.closerange(READY, _HIGHEST)
    variables = {encoded(name): encoded(value) for name, value in order["env"].items()}
    execute([encoded(word) for word in order["command"]], variables)


def become(uid: int) -> None:
    """Take on a user number, without any capability; 0: stay who you are."""
    if uid:
        libc = ctypes.CDLL(None)
        for capability in range(64):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


def execute(command: "list[bytes]", variables: "dict[bytes, bytes]") -> None:
    """Turn into the command, looked for along the variables' ``PATH``; 127 if it is not there."""
    path = variables.get(b"PATH", os.defpath.encode()).split(b":")
    problem: OSError = FileNotFoundError(2, "not found")
    for directory in path if b"/" not in command[0] else (b"",):
        try:
            os.execve(os.path.join(directory, command[0]), command, variables)  # noqa: S606
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = error
    os.write(2, command[0] + b": " + str(problem.strerror).encode() + b"\n")
    os._exit(127 if isinstance(problem, FileNotFoundError) else 126)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main()
