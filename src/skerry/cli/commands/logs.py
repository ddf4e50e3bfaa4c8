"""``logs``: what a job, a pod or a service wrote, byte for byte, of one task or of all."""

import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import output
from skerry.cli.commands.services import show_replicas
from skerry.cli.common import Command, Group, Session, pass_session
from skerry.cli.complete import names_of
from skerry.cli.inside import WHERE, meant
from skerry.cli.patience import patient
from skerry.client.errors import BadSetting, NotFound, SkerryError
from skerry.client.operations import ENDED
from skerry.client.resource import LogChunk

if TYPE_CHECKING:
    from skerry.client.sync import KindClient

LOOK_AGAIN = 0.3
"""Seconds between the end of a log and the next look, while the job is not over."""


def log_options() -> list[click.Parameter]:
    return [
        click.Option(["--follow", "-f"], is_flag=True, help="Go on until the job ends"),
        click.Option(["--rank"], type=click.IntRange(0), help="Only this copy, without prefix"),
        click.Option(
            ["--offset"], type=click.IntRange(0), default=0, help="Skip so many bytes of each copy"
        ),
    ]


class Printer:
    """Chunks to stdout and stderr as they were written; with several copies, line by line behind
    their rank."""

    def __init__(self, ranks: int, *, err: bool = False) -> None:
        self._prefix = ranks > 1
        self._err = err
        """All of it to stderr."""
        self._open: dict[tuple[int, str], bytes] = {}

    def show(self, chunk: LogChunk) -> None:
        err = self._err or chunk.stream == "stderr"
        if not self._prefix:
            output.raw(chunk.data, err=err)
            return
        key = (chunk.rank, chunk.stream)
        *lines, rest = (self._open.get(key, b"") + chunk.data).split(b"\n")
        self._open[key] = rest
        for line in lines:
            output.raw(b"[%d] %s\n" % (chunk.rank, line), err=err)

    def finish(self) -> None:
        """Show lines that never ended."""
        for (rank, stream), rest in sorted(self._open.items()):
            if rest:
                output.raw(b"[%d] %s\n" % (rank, rest), err=self._err or stream == "stderr")
        self._open.clear()


class Follower:
    """Reads the logs of a job's copies side by side, each on its own thread, in order for each.

    ``items`` gives chunks, and None at times, so that whoever waits can look around; it ends when
    every log has. A copy's log may end before the job does (it is tried again): then it is looked
    at again from where it ended, and the next run's log from its beginning.
    """

    def __init__(self, client: "KindClient", name: str, ranks: list[int], offset: int) -> None:
        self._client = client
        self._name = name
        self._places = dict.fromkeys(ranks, ("", offset))
        """How far each has been read, and in which run."""
        self._queue: queue.Queue[LogChunk | int | SkerryError] = queue.Queue(maxsize=1000)
        self._stop = threading.Event()

    def items(self, pause: float = 0.1) -> Iterator[LogChunk | None]:
        left = set(self._places)
        for rank in left:
            threading.Thread(target=self._read, args=(rank,), daemon=True).start()
        try:
            while left:
                try:
                    found = self._queue.get(timeout=pause)
                except queue.Empty:
                    yield None
                    continue
                if isinstance(found, SkerryError):
                    raise found
                if isinstance(found, int):
                    left.discard(found)
                    yield None
                else:
                    yield found
        finally:
            self._stop.set()

    def _read(self, rank: int) -> None:
        try:
            while not self._stop.is_set():
                over = self._client.get(self._name).phase in ENDED
                self._copy(rank, follow=not over)
                if over:
                    break
                self._stop.wait(LOOK_AGAIN)
        except NotFound as error:
            # A copy that never started has no log.
            if self._client.get(self._name).phase not in ENDED:
                self._queue.put(error)
        except SkerryError as error:
            self._queue.put(error)
        self._queue.put(rank)

    def _copy(self, rank: int, *, follow: bool) -> None:
        run, offset = self._places[rank]
        found = self._client.logs(self._name, rank=rank, offset=offset, follow=follow, run=run)
        for chunk in found:
            self._places[rank] = (chunk.run, chunk.end)
            self._queue.put(chunk)
            if self._stop.is_set():
                return


def show(
    session: Session,
    client: "KindClient",
    name: str,
    follow: bool,
    rank: int | None,
    offset: int,
) -> None:
    """Print a job's log."""
    count = int(client.get(name).spec.get("count") or 1)
    ranks = list(range(count)) if rank is None else [rank]
    printer = Printer(len(ranks))
    if follow:
        for chunk in Follower(patient(client), name, ranks, offset).items():
            if chunk is not None:
                printer.show(chunk)
    else:
        for one in ranks:
            for chunk in client.logs(name, rank=one, offset=offset):
                printer.show(chunk)
            printer.finish()
    printer.finish()


@pass_session
def _logs(session: Session, name: str, **values: Any) -> None:
    known = session.catalogue.showing("logs")
    target, name = meant(session, name, known, "nothing is written by")
    if target.kind.noun != "service":
        show(session, session.client.kind(target.kind.noun), name, **values)
    elif values["rank"] is not None or values["offset"]:
        raise BadSetting("a service's log has replicas", hint=f"skerry service logs {name} --help")
    else:
        show_replicas(session, name, replica="", follow=values["follow"])


show_command = Command(
    "show",
    callback=_logs,
    params=[
        click.Argument(["name"], shell_complete=names_of("job")),
        *log_options(),
    ],
    help="Show what a job, a pod or a service wrote, its stdout on stdout and its stderr on "
    f"stderr. NAME: {WHERE}.",
)


class LogsGroup(Group):
    """``skerry logs NAME`` is short for ``skerry logs show NAME``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


def _group() -> LogsGroup:
    from skerry.cli.commands.searching import search

    return LogsGroup(
        "logs",
        commands={"show": show_command, "search": search},
        help="Show what something wrote (skerry logs NAME), or search all logs of a workspace.",
    )


logs = _group()
