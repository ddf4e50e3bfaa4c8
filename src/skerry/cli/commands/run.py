"""``run``: the short way to a job. Uploads, starts, streams its output, exits with its code."""

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import formats, output, work
from skerry.cli.commands.logs import Follower, Printer
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import FAILURE, INTERRUPTED
from skerry.cli.exits import tell as tell_error
from skerry.cli.flags import gathered
from skerry.cli.patience import patient
from skerry.cli.verbs.base import standing, why_queued
from skerry.cli.verbs.deciding import place_text
from skerry.cli.verbs.writing import tell
from skerry.client import jobs
from skerry.client.errors import BadSetting, Conflict, WaitTimeout
from skerry.client.operations import ENDED
from skerry.client.resource import Resource
from skerry.client.units import parse_seconds

if TYPE_CHECKING:
    from skerry.cli.progress import Progress
    from skerry.client.sync import KindClient

CHANGE_OF_MIND = 2.0
"""Seconds in which a second Ctrl-C leaves the job running, where nobody can be asked."""
STRAGGLERS = 10.0
"""Seconds that logs may take to end after the job."""


JOB = frozenset(
    ("millicores", "memory", "disk", "gpus", "gpuModel", "image", "imageSecret", "requirements",
     "volumes", "scratch", "secrets", "env", "secretEnv", "isolation", "network", "region",
     "site", "inputs")
)  # fmt: skip
"""Fields of a job that have a flag of their own."""


def _options() -> list[click.Parameter]:
    text: dict[str, Any] = {"metavar": "TEXT", "default": ""}
    many: dict[str, Any] = {"multiple": True}
    option = click.Option
    return [
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND..."),
        option(["--name", "-n"], **text, help="Its name; a fresh one if not given"),
        *work.options(JOB),
        option(["--count", "--nodes"], type=click.IntRange(1), default=1,
               help="Copies, started together or not at all, that reach each other"),
        option(["--topology"], type=click.Choice(["host", "link", "rack", "zone"]), default=None,
               help="Put its copies as near together as this, if there is room"),
        option(["--topology-required"], is_flag=True, help="Wait until there is such a place"),
        option(["--priority-class"], **text, help="How urgent it is, where it waits in a queue"),
        option(["--preemptible"], is_flag=True,
               help="For less: it may be ended for others, and is run again"),
        option(["--artifact"], metavar="GLOB", **many, help="Keep these files when it ends"),
        option(["--retries"], type=click.IntRange(0), default=0, help="Run it again if it fails"),
        option(["--time-limit"], metavar="DURATION", default="0",
               help="Stop it after 90s, 10m, 2h"),
        option(["--grace"], metavar="DURATION", default="0",
               help="Time to write a checkpoint when it is asked to end; 10s if not given"),
        option(["--label", "-l"], metavar="KEY=VALUE", **many, help="Label it"),
        option(["--detach", "-d"], is_flag=True, help="Print its name and do not wait"),
        option(["--wait-timeout"], metavar="DURATION", default="",
               help="Stop waiting after this long; the job goes on",
               callback=lambda _c, _p, text: parse_seconds(text) if text else None),
    ]  # fmt: skip


def _pairs(words: tuple[str, ...], flag: str) -> dict[str, str]:
    out = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise BadSetting(f"{word[:60]!r} is not KEY=VALUE", hint=f"Write {flag} KEY=VALUE.")
        out[key] = value
    return out


@pass_session
def _run(session: Session, command: tuple[str, ...], name: str, **values: Any) -> None:
    session.noun = "job"
    spec = jobs.job_spec(
        command,
        count=values["count"],
        artifacts=values["artifact"],
        retries=values["retries"],
        time_limit=values["time_limit"],
        grace=values["grace"],
        more=gathered(click.get_current_context(), values),
    )
    if values["priority_class"]:
        spec["priorityClass"] = values["priority_class"]
    if values["preemptible"]:
        spec["preemptible"] = True
    if values["topology"]:
        spec["topology"] = values["topology"]
    if values["topology_required"]:
        if not values["topology"]:
            raise click.UsageError("--topology-required needs --topology.")
        spec["topologyRequired"] = True
    if not command and not spec.get("image"):
        raise click.UsageError("Missing argument '-- COMMAND...'.")
    labels = _pairs(values["label"], "--label")
    spec = work.brought(session, "job", spec)
    client = session.client.kind("job")
    name = name or jobs.fresh_name()
    job = client.put(name, spec, labels=labels or None)
    if values["detach"]:
        if session.form.name in ("", "name"):
            click.echo(name)
        else:
            tell(session, client.target.kind, job, "created")
        return
    attended = Attended(session, patient(client), name, values["count"], values["wait_timeout"])
    click.get_current_context().exit(attended.attend())


class Attended:
    """A job that someone watches."""

    def __init__(
        self,
        session: Session,
        client: "KindClient",
        name: str,
        count: int,
        timeout: float | None,
    ) -> None:
        self.session = session
        self.client = client
        self.name = name
        self.count = count
        self.timeout = timeout
        self._job: Resource | None = None
        self._look_at = 0.0
        self._pause = 0.1
        self._attempt = 1

    def attend(self) -> int:
        """Stream its output until it ends, and tell what came of it; the exit code."""
        try:
            return self._attend()
        except KeyboardInterrupt:
            return self._interrupted()

    def _attend(self) -> int:
        # A document on stdout is alone there.
        printer = Printer(self.count, err=self.session.form.is_document)
        started, over, said = time.monotonic(), 0.0, False
        with self.session.progress() as progress:
            for chunk in Follower(self.client, self.name, list(range(self.count)), 0).items():
                now = time.monotonic()
                if chunk is not None:
                    _pause(progress)
                    printer.show(chunk)
                    said = True
                    continue
                job = self._look(now)
                if job.phase in ENDED:
                    over = over or now
                    if now - over > STRAGGLERS:
                        break
                    continue
                if not said:
                    progress.update(f"job {self.name}: {standing(job)}")
                if self.timeout is not None and now - started > self.timeout:
                    printer.finish()
                    return self._too_long(job)
        printer.finish()
        ended = self.client.wait(self.name, until="ended")
        assert ended is not None
        return self._report(ended)

    def _look(self, now: float) -> Resource:
        """The job as it is, asked for now and then."""
        if self._job is None or now >= self._look_at:
            self._job = self.client.get(self.name)
            self._look_at = now + self._pause
            self._pause = min(self._pause * 1.5, 2.0)
            self._tell_attempt(self._job)
        return self._job

    def _tell_attempt(self, job: Resource) -> None:
        """That it was started anew, once for each time."""
        attempt = int(job.status.get("attempt") or 1)
        if attempt > self._attempt:
            self._attempt = attempt
            self.session.note(f"job {self.name} is started anew: attempt {attempt}")

    def _too_long(self, job: Resource) -> int:
        error = WaitTimeout(
            f"job {self.name} is {job.phase} after {self.timeout:g} s",
            last=job,
            hint=f"It goes on: raise --wait-timeout, or skerry logs -f {self.name}",
        )
        error.detail = why_queued(job)
        return tell_error(error, as_json=self.session.form.is_document)

    def _report(self, job: Resource) -> int:
        """Tell cost and place on stderr."""
        if self.session.form.is_document:
            output.document(job, self.session.form)
        self.session.note(summary(job))
        code = job.status.get("exitCode")
        if job.phase == "succeeded":
            return 0
        return code if isinstance(code, int) and code != 0 else FAILURE

    def _interrupted(self) -> int:
        """Ctrl-C: ask once whether to cancel; a second one leaves the job running."""
        try:
            if not self._cancels():
                return self._leave()
            click.echo(f"cancelling job {self.name}", err=True)
            try:
                self.client.act(self.name, "cancel")
                job = self.client.wait(self.name, until="ended")
            except Conflict:
                job = self.client.get(self.name)
        except KeyboardInterrupt:
            return self._leave()
        if job is not None:
            self.session.note(summary(job))
        return INTERRUPTED

    def _cancels(self) -> bool:
        if sys.stdin.isatty() and sys.stderr.isatty():
            click.echo("", err=True)
            question = f"Cancel job {self.name}? (Ctrl-C again leaves it running)"
            try:
                return click.confirm(question, default=True, err=True)
            except click.Abort:
                return False
        click.echo(
            f"cancelling job {self.name} in {CHANGE_OF_MIND:g} s; "
            "interrupt again to leave it running",
            err=True,
        )
        time.sleep(CHANGE_OF_MIND)
        return True

    def _leave(self) -> int:
        click.echo(f"job {self.name} goes on: skerry logs -f {self.name}", err=True)
        return INTERRUPTED


def _pause(progress: "Progress") -> None:
    pause = getattr(progress, "pause", None)
    if pause is not None:
        pause()


def summary(job: Resource) -> str:
    """One line: what came of it, how long it ran, where, and for how much."""
    status = job.status
    words = [f"job {job.name} {job.phase}"]
    begin = formats.instant(str(status.get("startedAt", "")))
    end = formats.instant(str(status.get("endedAt", "")))
    if begin and end:
        words.append(f"in {formats.duration((end - begin).total_seconds())}")
    if status.get("place"):
        words.append(f"on {place_text(status['place'])}")
    if status.get("engine"):
        words.append(f"with {status['engine']}")
    cost = status.get("cost") or {}
    if begin is None and job.phase in ENDED:
        price = "it never ran and costs nothing"
    elif cost:
        price = f"cost {formats.money(cost['amountNano'], cost.get('currency', ''))}"
    else:
        price = "cost not known yet"
    line = f"{' '.join(words)}; {price}"
    code = status.get("exitCode")
    if job.phase != "succeeded":
        why = status.get("message") or status.get("reason")
        why = "" if why == "ExitCode" else why
        line += f"; exit code {code}" if code is not None else ""
        line += f"; {why}" if why else ""
    return line


run = Command(
    "run",
    callback=_run,
    params=_options(),
    context_settings={"allow_interspersed_args": False},
    help="Run a command as a job: its output here, its exit code as this one's.",
    epilog="Cost and place are told on stderr when it ends. Ctrl-C asks whether to cancel it.",
)
