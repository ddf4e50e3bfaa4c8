"""What goes on: ``top``, ``metrics``, ``logs search``, ``alert list``, to the letter."""

import os
import pty
import re
import signal
import subprocess
import sys
from typing import Any

import pytest

from skerry.cli.since import ago
from skerry.cli.verbs.charting import quantity, spark
from skerry.client.errors import BadSetting
from tests.cli.conftest import TIME, Skerry
from tests.client.standin import NOW, Cloud

SERIES = "/providers/skerry.series/v1"
LAB = f"{SERIES}/tenants/acme/workspaces/w"
JOBS = "/providers/skerry.run/v1/tenants/acme/workspaces/w/jobs"
TRAIN = {
    "kind": "job", "name": "train", "ref": "r", "tasks": 2, "at": ["attic", "hall/1"],
    "uses": {"cpu": 1.234, "memory": 1536 << 20, "gpu": 0.934, "received": 2048.4, "sent": 0.0},
    "cost": {"currency": "EUR", "amountNano": 1_234_000_000, "perHourNano": 42_000_000},
}  # fmt: skip
WEB = {
    "kind": "service", "name": "web", "ref": "r", "tasks": 3, "at": ["attic"],
    "uses": {"cpu": 2.0, "requests": 12.34, "failures": 0.0},
}  # fmt: skip


def test_top_shows_what_runs(standin: Skerry, cloud: Cloud) -> None:
    cloud.views[f"{LAB}/top"] = {"items": [TRAIN, WEB]}
    assert standin("top") == (
        0,
        "NAME          TASKS   CPU    MEMORY    GPU    IN        OUT     REQUESTS   COST       "
        "PER HOUR\n"
        "job/train     2       1.23   1.5 GiB   93 %   2 KiB/s   0 B/s   -          1.23 EUR   "
        "0.042 EUR\n"
        "service/web   3       2      -         -      -         -       12.3/s     -          -\n",
        "",
    )
    said = standin("top", "--sort", "cpu", "-o", "columns=name,failures,at", "-o", "noheader")
    assert said.out == "service/web   0/s   attic\njob/train     -     attic,hall/1\n"
    assert standin("top", "--json").out.startswith('[\n  {\n    "kind": "job"')
    cloud.views[f"{LAB}/top"] = {"items": []}
    assert standin("top", "-o", "noheader") == (0, "\n", "")


def test_top_shows_hosts_and_tenants(standin: Skerry, cloud: Cloud) -> None:
    host = {
        "at": "attic", "has": {"millicores": 2500, "memory": 4 << 30, "gpus": 2},
        "uses": {"cpu": 0.5, "memory": 1 << 30},
    }  # fmt: skip
    bare = {"at": "hall", "has": {"gpus": 0}, "uses": {}}
    tenants = [{"name": "acme", "tasks": 4, "uses": {"cpu": 0.25}}]
    cloud.views[f"{SERIES}/top"] = {"hosts": [host, bare], "tenants": tenants}
    assert standin("top", "--hosts").out == (
        "HOST    CORES   CPU   MEMORY   GPU   IN   OUT   OF MEMORY   GPUS\n"
        "attic   2.5     0.5   1 GiB    -     -    -     4 GiB       2\n"
        "hall    -       -     -        -     -    -     -           -\n"
        "\n"
        "TENANT   TASKS   CPU    MEMORY   GPU   IN   OUT\n"
        "acme     4       0.25   -        -     -    -\n"
    )


def test_top_is_drawn_on_a_terminal_until_interrupted(standin: Skerry, cloud: Cloud) -> None:
    cloud.views[f"{LAB}/top"] = {"items": [TRAIN]}
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "skerry.cli.main", "top"],
        stdout=theirs, stderr=theirs, stdin=theirs, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while b"job/train" not in seen:
        seen += os.read(mine, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    os.close(mine)


METRICS: dict[str, Any] = {
    "from": "2026-11-21T07:00:00Z",
    "to": "2026-11-21T08:00:00Z",
    "step": 900,
    "series": [
        {"name": "cpu", "unit": "cores", "values": [0.0, 0.5, None, 1.0],
         "peaks": [0.0, 2.0, None, 1.0]},
        {"name": "memory", "unit": "bytes", "values": [None] * 4, "peaks": [None] * 4},
    ],
}  # fmt: skip
CHART = """\
2026-11-21 07:00:00 UTC to 2026-11-21 08:00:00 UTC, 15 m a point
SERIES          LAST   MEAN   PEAK
cpu      ▁▅ █   1      0.5    2
memory          -      -      -
"""


def test_metrics_are_drawn(standin: Skerry, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    cloud.hold = True
    standin("job", "create", "train", "-d", "--", "true")
    cloud.views[f"{JOBS}/train/metrics"] = METRICS
    said = standin("metrics", "train", "--since", "2h")
    assert (said.out, said.code) == (CHART, 0)
    asked = [query for _, path, query in cloud.requests if path.endswith("/metrics")]
    assert asked[-1] == {"from": "-7200s", "step": "120"}
    task = {"workload": "w1", "rank": 1, "at": "attic", "series": []}
    cloud.views[f"{JOBS}/train/metrics"] = {**METRICS, "tasks": [task]}
    said = standin("metrics", "job/train", "--tasks", "--series", "cpu", "--step", "60")
    assert said.out == f"{CHART}\n[1] w1 at attic\nnothing is known of that time\n"
    asked = [query for _, path, query in cloud.requests if path.endswith("/metrics")]
    assert asked[-1] == {"from": "-3600s", "series": "cpu", "by": "task", "step": "60"}
    assert '"step": 900' in standin("metrics", "train", "--json").out


def test_metrics_of_what_is_not_there(standin: Skerry) -> None:
    said = standin("metrics", "nothing")
    assert (said.code, said.err.splitlines()[0]) == (3, "Error: there is no job 'nothing'")
    said = standin("metrics", "network/n1")
    assert said.err == (
        "Error: nothing is measured of a 'network'\nHint: Kinds it goes with: job.\n"
    )
    assert standin("metrics", "x", "--since", "2 moons").code == 2


def line(text: str, rank: int = 0) -> dict[str, Any]:
    return {
        "at": NOW, "kind": "job", "name": "train", "workload": "w", "rank": rank, "offset": 0,
        "stream": "stdout", "text": text,
    }  # fmt: skip


def test_logs_are_searched(standin: Skerry, cloud: Cloud) -> None:
    cloud.views[f"{LAB}/logs"] = {"items": [line("newer\tone \x1b[31m", 1), line("older one")]}
    assert standin("logs", "search", "one", "two words", "--since", "1h") == (
        0,
        "2026-11-21 08:00:00 UTC job/train[0] older one\n"
        "2026-11-21 08:00:00 UTC job/train[1] newer\tone \\x1b[31m\n",
        "",
    )
    _, _, asked = cloud.requests[-1]
    assert asked == {"text": "one 'two words'", "from": "-3600s", "limit": "200"}
    found = standin("logs", "search", "one", "--of", "job/train", "--until", NOW, "--json")
    assert '"text": "newer\\tone \\u001b[31m"' in found.out
    _, _, asked = cloud.requests[-1]
    assert asked == {
        "text": "one", "from": "-86400s", "to": NOW, "kind": "job", "name": "train", "limit": "200",
    }  # fmt: skip
    assert standin("logs", "search", "one", "--of", "train").err.splitlines()[1] == (
        "Hint: Write KIND/NAME, such as job/train."
    )


def test_pages_of_a_search_are_put_together(standin: Skerry, cloud: Cloud) -> None:
    pages = [
        {"items": [], "next": "a"},
        {"items": [line("two")], "next": "b", "cut": {"until": NOW, "bytes": 3 << 20}},
    ]
    cloud.faults = [lambda _, page=page: _json(page) for page in pages]  # type: ignore[misc]
    assert standin("logs", "search", "two", "--limit", "1") == (
        0,
        "2026-11-21 08:00:00 UTC job/train[0] two\n",
        "The workspace wrote more than is kept: 3 MiB up to 2026-11-21 08:00:00 UTC are gone.\n"
        "These are the newest 1; there may be more: --limit, --until.\n",
    )
    assert [query.get("cursor") for _, _, query in cloud.requests] == [None, "a"]


def _json(value: Any) -> Any:
    from starlette.responses import JSONResponse

    return JSONResponse(value)


def test_logs_of_a_job_called_like_a_command(standin: Skerry) -> None:
    standin("run", "-q", "--name", "search", "--", "echo", "found")
    assert standin("logs", "show", "search").out == "found\n"
    standin("run", "-q", "--name", "other", "--", "echo", "two")
    assert standin("logs", "-f", "other").out == "two\n"
    assert "search" in standin("logs", "--help").out


def test_utilisation_is_shown_by_site(standin: Skerry, cloud: Cloud) -> None:
    whole = {
        "hosts": 1,
        "has": {"cpu": 4.0, "memory": 8 << 30, "disk": 0, "gpu": 0},
        "leased": {"cpu": 1.0, "memory": 2 << 30, "disk": 0, "gpu": 0},
        "used": {"cpu": [None, 1.0, 3.0], "memory": [None, None, None], "gpu": [None] * 3},
    }
    barn = {"name": "barn", **whole}
    cloud.views[f"{SERIES}/utilisation"] = {"from": NOW, "to": NOW, "step": 60, **whole,
                                            "sites": [barn]}  # fmt: skip
    shown = [line.split() for line in standin("utilisation", "--since", "6h").out.splitlines()]
    assert shown[1][:7] == ["barn", "1", "cpu", "4", "cores", "25%", "75%"]
    assert shown[1][7] == "50%"
    assert shown[2][:8] == ["barn", "1", "memory", "8", "GiB", "25%", "-", "-"]
    assert shown[3][0] == "(all)"
    assert '"step": 60' in standin("utilisation", "--json").out


def test_sessions_are_listed_and_ended(standin: Skerry, cloud: Cloud) -> None:
    here = {
        "id": "1", "token": None, "by": "password", "address": "10.0.0.1", "openedAt": NOW,
        "lastUsedAt": None, "expiresAt": None, "narrowed": False, "current": True,
    }  # fmt: skip
    token = {**here, "id": "2", "token": "ann.ci", "by": "", "address": "", "current": False}
    cloud.views["/providers/skerry.identity/v1/sessions"] = {"items": [here, token]}
    said = standin("session", "list")
    assert said.code == 0, said.err
    shown = said.out.splitlines()
    assert shown[0].split() == ["ID", "WHAT", "BY", "FROM", "OPENED", "USED", "EXPIRES"]
    assert [*shown[1].split()[:5]] == ["1", "this", "session", "password", "10.0.0.1"]
    assert shown[2].split()[:4] == ["2", "ann.ci", "-", "-"]
    assert standin("session", "list", "-o", "name").out == "1\n2\n"
    assert standin("session", "delete", "none").code == 3


def test_alerts_are_listed(standin: Skerry, cloud: Cloud) -> None:
    subject = "skerry.run/v1/tenants/acme/workspaces/w/jobs/train"
    alert = {
        "metadata": {"name": "1", "tenant": "acme"},
        "spec": {"subject": subject, "reason": "Overdue"},
        "status": {
            "phase": "open", "message": "It waits since 08:00", "remedy": "Look at its site",
            "raisedAt": NOW,
        },
    }  # fmt: skip
    cloud.views[f"{SERIES}/tenants/acme/alerts/1"] = alert
    cloud.views[f"{SERIES}/tenants/acme/alerts"] = {"items": [alert]}
    cloud.views[f"{SERIES}/alerts"] = {"items": []}
    shown = standin("alert", "list", "-o", "noheader")
    assert re.sub(r"^(in )?\d+\w", "AGE", shown.out) == (
        "AGE   Overdue   jobs/train   It waits since 08:00   Look at its site\n"
    )
    assert standin("alert", "list", "--all") == (
        0,
        "RAISED   REASON   ABOUT   MESSAGE   WHAT TO DO\n",
        "",
    )
    assert '"name": "1"' in standin("alert", "list", "--json").out
    assert standin("alert", "list", "-o", "wide").out.rstrip().endswith("1")
    assert "remedy:   Look at its site" in standin("alert", "get", "1").out


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "cores", "-"), (0.0, "cores", "0"), (0.00001, "cores", "<0.001"),
        (0.03125, "cores", "0.0312"), (12345.6, "tasks", "12346"), (1536.2, "bytes", "1.5 KiB"),
        (0.042, "seconds", "42 ms"), (0.5, "ratio", "50 %"), (1234.5, "requests/s", "1234/s"),
    ],
)  # fmt: skip
def test_quantities(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_sparks() -> None:
    assert spark([]) == ""
    assert spark([0.0, 0.0]) == "▁▁"
    assert spark([1.0, None, 8.0, 4.0]) == "▂ █▅"
    assert spark([1.0, 3.0, None, None, 4.0], most=3) == "▅ █"


def test_how_far_back() -> None:
    assert [ago("90"), ago("1.5h"), ago("2d"), ago(NOW)] == ["-90s", "-5400s", "-172800s", NOW]
    with pytest.raises(BadSetting):
        ago("3 fortnights")
    assert TIME.pattern
