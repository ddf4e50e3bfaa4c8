"""What a workload of the suite does, and the same as a real shell command.

``Script().print("hi").sleep(1).exit(3)`` is a list of steps. ``shell`` renders them for a driver
that runs programs; the simulated site reads ``json`` itself. The shell version needs ``sh``, the
usual small tools and ``python3`` on the path, as any host's userland has them.
"""

import shlex
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

_SERVE = """
import socket, threading
def echo(c):
    while data := c.recv(65536):
        c.sendall(data)
    c.close()
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", PORT))
s.listen(64)
print("serving", flush=True)
while True:
    threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
"""
_HTTP = """
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if os.path.exists("well") else 503)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.HTTPServer(("127.0.0.1", PORT), Answer).serve_forever()
"""
_MEET = """
import os, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    listener = socket.create_server(("", place[1]))
    others = [listener.accept()[0] for _ in range(size - 1)]
    ranks = {int(other.recv(10)) for other in others}
    for other in others:
        other.sendall(b"!")
    assert ranks == set(range(1, size)), ranks
else:
    until = time.monotonic() + 60
    while True:
        try:
            end = socket.create_connection(place, 5)
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    end.settimeout(60)
    end.sendall(str(rank).encode())
    assert end.recv(1) == b"!"
print("met", size, flush=True)
"""
_BURN = "import time\nend = time.process_time() + SECONDS\nwhile time.process_time() < end: pass"


@dataclass(frozen=True)
class Script:
    """Steps, done in order; it exits 0 after the last one."""

    steps: tuple[tuple[Any, ...], ...] = field(default=())

    def _then(self, *step: Any) -> "Script":
        return replace(self, steps=(*self.steps, step))

    def print(self, text: str, stream: str = "stdout") -> "Script":
        """One line."""
        return self._then("print", text, stream)

    def lines(self, count: int, width: int) -> "Script":
        """``count`` lines of ``width`` bytes each, newline included: 0 to count-1, zero-padded."""
        return self._then("lines", count, width)

    def env(self, name: str) -> "Script":
        """Print a variable's value, or ``unset``."""
        return self._then("env", name)

    def sleep(self, seconds: float) -> "Script":
        return self._then("sleep", seconds)

    def stay(self) -> "Script":
        """Until a signal comes."""
        return self._then("stay")

    def burn(self, seconds: float) -> "Script":
        """Use that much processor time."""
        return self._then("burn", seconds)

    def allocate(self, size: int) -> "Script":
        """Use that many bytes of memory."""
        return self._then("allocate", size)

    def write(self, path: str, text: str) -> "Script":
        return self._then("write", path, text)

    def fill(self, path: str, size: int) -> "Script":
        """Write a file of ``size`` zero bytes."""
        return self._then("fill", path, size)

    def remove(self, path: str) -> "Script":
        return self._then("remove", path)

    def link(self, path: str, target: str) -> "Script":
        """Make a symbolic link."""
        return self._then("link", path, target)

    def cat(self, path: str) -> "Script":
        return self._then("cat", path)

    def mode(self, path: str) -> "Script":
        """Print a file's mode, such as ``755``."""
        return self._then("mode", path)

    def trap(self, signal: str, code: int) -> "Script":
        """From now on exit with ``code`` when ``signal`` (``TERM``) comes."""
        return self._then("trap", signal, code)

    def ignore(self, signal: str) -> "Script":
        return self._then("ignore", signal)

    def kill(self, signal: str) -> "Script":
        """Send itself a signal."""
        return self._then("kill", signal)

    def leave(self, seconds: float) -> "Script":
        """Leave a child behind that holds the output open for that long."""
        return self._then("leave", seconds)

    def serve(self, port: int) -> "Script":
        """Print ``serving``, then send back what each connection to ``port`` sends, for ever."""
        return self._then("serve", port)

    def http(self, port: int) -> "Script":
        """From now on answer by HTTP: 200 while there is a file ``well``, else 503."""
        return self._then("http", port)

    def meet(self) -> "Script":
        """Meet all others of its gang where their variables say; print ``met`` and how many."""
        return self._then("meet")

    def exit(self, code: int) -> "Script":
        return self._then("exit", code)

    @property
    def json(self) -> str:
        """For the simulated site."""
        return msgspec.json.encode(self.steps).decode()

    @property
    def shell(self) -> tuple[str, ...]:
        """For a driver that runs programs."""
        return ("sh", "-c", "\n".join(_line(*step) for step in self.steps))


def _line(verb: str, *args: Any) -> str:
    words = [shlex.quote(str(arg)) for arg in args]
    match verb, words:
        case "print", [text, stream]:
            return f"printf '%s\\n' {text}" + (" >&2" if stream == "stderr" else "")
        case "lines", [count, width]:
            return (
                f"i=0; while [ $i -lt {count} ]; do "
                f"printf '%0{int(width) - 1}d\\n' $i; i=$((i+1)); done"
            )
        case "env", [name]:
            return f"printf '%s\\n' \"${{{name}-unset}}\""
        case "sleep", [seconds]:
            return f"sleep {seconds}"
        case "stay", []:
            return "while :; do sleep 1000 & wait $!; done"
        case "burn", [_]:
            return "python3 -c " + shlex.quote(_BURN.replace("SECONDS", str(args[0])))
        case "allocate", [_]:
            return f"python3 -c 'b = b\"x\" * {args[0]}' || exit $?"
        case "write", [path, text]:
            return f'mkdir -p "$(dirname {path})"; printf %s {text} > {path}'
        case "fill", [path, size]:
            return f'mkdir -p "$(dirname {path})"; head -c {size} /dev/zero > {path}'
        case "remove", [path]:
            return f"rm -f {path}"
        case "link", [path, target]:
            return f'mkdir -p "$(dirname {path})"; ln -s {target} {path}'
        case "cat", [path]:
            return f"cat {path}"
        case "mode", [path]:
            return f"stat -c %a {path}"
        case "trap", [signal, code]:
            return f"trap 'exit {code}' {signal}"
        case "ignore", [signal]:
            return f"trap '' {signal}"
        case "kill", [signal]:
            return f"kill -{signal} $$"
        case "leave", [seconds]:
            return f"sleep {seconds} &"
        case "serve", [_]:
            return "exec python3 -u -c " + shlex.quote(_SERVE.replace("PORT", str(args[0])))
        case "http", [_]:
            return "python3 -c " + shlex.quote(_HTTP.replace("PORT", str(args[0]))) + " &"
        case "meet", []:
            return "python3 -c " + shlex.quote(_MEET)
        case "exit", [code]:
            return f"exit {code}"
    raise ValueError(f"unknown step {verb}{args}")
