"""The link to a host, cut for longer than is overlooked, and both its ends killed meanwhile."""

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import until
from tests.e2e.machines import ROOT, Machine, Machines, machines

pytestmark = [ROOT, pytest.mark.long]
CUT = 600.0
"""Seconds at least; 30 make an outage."""
BEAT = 5.0
"""Seconds between two signs of life: by so much an outage may begin before the cut."""


def begin(many: Machines, machine: Machine, name: str, script: str) -> None:
    many.cloud.skerry(
        "job", "create", name, "--site", machine.at, "--millicores", "100", "--memory", "64MiB",
        "--no-wait", "--", "sh", "-c", script,
    )  # fmt: skip
    until(lambda: many.job(name)["phase"] == "running", machine.tail)


def seconds(status: Any) -> float:
    """From its start to its end."""
    start, end = (datetime.fromisoformat(status[key]) for key in ("startedAt", "endedAt"))
    return (end - start).total_seconds()


def billed(status: Any) -> float:
    """The seconds that it costs."""
    return float(status["cost"]["amountNano"]) * 3600 / float(status["pricePerHourNano"])


def test_nothing_is_doubled_lost_or_billed_unseen(tmp_path: Path) -> None:
    with machines(tmp_path, "one") as many:
        one, cloud = many["one"], many.cloud
        begin(many, one, "counts", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.2; done")
        begin(many, one, "ends", "sleep 20; echo over; exit 4")
        cut = time.time()
        one.cut()
        until(lambda: one.shown()["phase"] == "unreachable", one.tail, seconds=120)
        cloud.kill()
        one.kill()
        cloud.start()
        one.start()
        assert one.shown()["phase"] == "unreachable"
        assert [many.job(name)["phase"] for name in ("counts", "ends")] == ["running", "running"]
        said = cloud.skerry("alert", "list", "--all").stdout
        assert "SiteUnreachable" in said
        threading.Event().wait(max(0.0, cut + CUT - time.time()))
        mended = time.time()
        one.mend()
        one.until_phase("connected")
        back = time.time()

        until(lambda: many.job("ends")["phase"] == "failed", one.tail)
        ends = many.job("ends")
        assert (ends["exitCode"], ends["attempt"]) == (4, 1)
        assert 19.5 < seconds(ends) < 25
        assert cloud.skerry("logs", "ends").stdout == "over\n"
        assert billed(ends) <= cut - datetime.fromisoformat(ends["startedAt"]).timestamp() + 0.1

        assert "SiteUnreachable" not in cloud.skerry("alert", "list", "--all").stdout
        cloud.skerry("job", "cancel", "counts")
        until(lambda: many.job("counts")["phase"] == "cancelled", one.tail)
        counts = many.job("counts")
        assert counts["attempt"] == 1
        lines = cloud.skerry("logs", "counts").stdout.split()
        assert lines == [str(n + 1) for n in range(len(lines))]
        assert len(lines) > CUT
        unseen = seconds(counts) - billed(counts)
        # What its host may have seen within a beat of either end of the cut is not billed either.
        assert mended - cut <= unseen <= back - cut + 3 * BEAT
        leases = [x["spec"]["subject"] for x in cloud.json("lease", "list")]
        assert sorted(x.rpartition("/")[2] for x in leases) == ["counts", "ends"]
        audited = cloud.audit()
        assert audited.returncode == 0, audited.stdout
