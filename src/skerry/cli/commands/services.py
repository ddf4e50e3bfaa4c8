"""What a service can be told beside what every kind can: how many, and what all of it writes."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.complete import names_of
from skerry.cli.patience import patient
from skerry.cli.verbs.base import await_all, must_be_well, wait_options
from skerry.cli.verbs.writing import tell
from skerry.client.errors import NotFound, SkerryError
from skerry.client.resource import LogChunk

if TYPE_CHECKING:
    from skerry.client.sync import KindClient

LOOK = 1.0
"""Seconds between two looks at which replicas there are."""


def _name() -> click.Argument:
    return click.Argument(["name"], shell_complete=names_of("service"))


@pass_session
def _scale(session: Session, name: str, replicas: int, **values: Any) -> None:
    session.noun = "service"
    client = session.client.kind("service")
    now = client.get(name)
    made = client.put(
        name,
        {**now.spec, "replicas": replicas},
        labels=now.get("labels"),
        annotations=now.get("annotations"),
        extensions=now.get("extensions"),
        if_version=now.version,
    )
    if values["wait"] and not values["detach"]:
        found = await_all(session, client, [name], "settled", values["wait_timeout"])[0]
        must_be_well(client.target.kind, found)
        made = found or made
    tell(session, client.target.kind, made, f"scaled to {replicas}")


scale = Command(
    "scale",
    callback=_scale,
    params=[
        _name(),
        click.Argument(["replicas"], type=click.IntRange(0), metavar="REPLICAS"),
        *wait_options(),
    ],
    help="Say how many replicas run",
)


class Printer:
    """What replicas write, line for line behind the replica's name; one alone as it is."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self._open: dict[tuple[str, str], bytes] = {}

    def show(self, replica: str, chunk: LogChunk) -> None:
        err = chunk.stream == "stderr"
        if self._alone:
            output.raw(chunk.data, err=err)
            return
        key = (replica, chunk.stream)
        *lines, self._open[key] = (self._open.get(key, b"") + chunk.data).split(b"\n")
        for line in lines:
            output.raw(b"[%s] %s\n" % (replica.encode(), line), err=err)

    def finish(self) -> None:
        """Show lines that never ended."""
        for (replica, stream), rest in sorted(self._open.items()):
            if rest:
                output.raw(b"[%s] %s\n" % (replica.encode(), rest), err=stream == "stderr")
        self._open.clear()


class Replicas:
    """Reads the logs of all replicas that there are, those that come included, on a thread each."""

    def __init__(self, service: "KindClient", pods: "KindClient", name: str) -> None:
        self._service = service
        self._pods = pods
        self._name = name
        self._queue: queue.Queue[tuple[str, LogChunk] | SkerryError] = queue.Queue(maxsize=1000)
        self._read: set[str] = set()

    def there(self) -> list[str]:
        found = self._service.get(self._name).status.get("pods") or ()
        return [str(pod["name"]) for pod in found]

    def items(self) -> Iterator[tuple[str, LogChunk]]:
        """For ever: a service does not end."""
        look_at = 0.0
        while True:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK
                for replica in set(self.there()) - self._read:
                    self._read.add(replica)
                    threading.Thread(target=self._copy, args=(replica,), daemon=True).start()
            try:
                found = self._queue.get(timeout=LOOK / 4)
            except queue.Empty:
                continue
            if isinstance(found, SkerryError):
                raise found
            yield found

    def _copy(self, replica: str) -> None:
        try:
            for chunk in self._pods.logs(replica, rank=0, offset=0, follow=True):
                self._queue.put((replica, chunk))
        except NotFound:
            # It was replaced.
            return
        except SkerryError as error:
            self._queue.put(error)


def show_replicas(session: Session, name: str, *, replica: str, follow: bool) -> None:
    """Print what one replica wrote, or all of them."""
    session.noun = "service"
    service, pods = session.client.kind("service"), session.client.kind("pod")
    replicas = Replicas(patient(service), patient(pods), name)
    named = [replica] if replica else replicas.there()
    printer = Printer(alone=bool(replica))
    try:
        if follow and not replica:
            for of, chunk in replicas.items():
                printer.show(of, chunk)
        for one in named:
            for chunk in pods.logs(one, rank=0, offset=0, follow=follow):
                printer.show(one, chunk)
    finally:
        printer.finish()


@pass_session
def _logs(session: Session, name: str, replica: str, follow: bool) -> None:
    show_replicas(session, name, replica=replica, follow=follow)


logs = Command(
    "logs",
    callback=_logs,
    params=[
        _name(),
        click.Option(["--replica"], metavar="NAME", default="", help="Only this one, as it is"),
        click.Option(["--follow", "-f"], is_flag=True, help="Go on, with those that come"),
    ],
    help="Show what its replicas wrote, each line behind the name of its replica",
)
