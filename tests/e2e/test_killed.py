"""Everything killed in mid-job: nothing is lost, nothing is doubled, the bill is right."""

import json
import time
from datetime import datetime

import pytest

from tests.e2e.conftest import Cloud, until

MARK = """
import sys, time
print("begun", flush=True)
time.sleep(4)
print("ended")
sys.exit(5)
"""


def test_killed_in_mid_job_the_job_ends_and_is_billed_to_the_second(own_cloud: Cloud) -> None:
    cloud = own_cloud
    cloud.skerry(
        "run", "--detach", "--name", "survivor", "--memory", "64MiB", "--", "python3", "-c", MARK
    )
    cloud.skerry("job", "wait", "survivor", "--for", "phase=running")
    until(lambda: "begun" in cloud.skerry("logs", "survivor").stdout)
    cloud.kill()
    time.sleep(6)
    cloud.start()
    cloud.skerry("job", "wait", "survivor", "--for", "ended", check=False)
    job = cloud.json("job", "get", "survivor")
    status = job["status"]
    assert (status["phase"], status["exitCode"], status["attempt"]) == ("failed", 5, 1)
    assert cloud.skerry("logs", "survivor").stdout == "begun\nended\n"
    start, end = (datetime.fromisoformat(status[k]) for k in ("startedAt", "endedAt"))
    seconds = (end - start).total_seconds()
    assert 3.9 < seconds < 5.5
    # What the receipt shows of the ledger is one lease over exactly those seconds.
    receipt = json.loads(cloud.skerry("receipt", "survivor").stdout)
    usage = [
        json.loads(item["data"])
        for section in receipt["sections"]
        for item in section["items"]
        if "meter" in item["data"]
    ]
    cpu = sum(u["quantity"] for u in usage if u["meter"] == "cpu-hour")
    assert abs(cpu - seconds * 1000) <= 2, (cpu, seconds)
    price = status["pricePerHourNano"]
    assert abs(status["cost"]["amountNano"] - price * seconds / 3600) <= 10
    leases = [x for x in cloud.json("lease", "list") if x["spec"]["subject"].endswith("/survivor")]
    assert len(leases) == 1
    audited = cloud.audit()
    assert audited.returncode == 0, audited.stdout


@pytest.mark.long
def test_a_server_that_comes_back_finds_what_runs(own_cloud: Cloud) -> None:
    cloud = own_cloud
    cloud.skerry(
        "run", "--detach", "--name", "runner", "--memory", "64MiB", "--",
        "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 1; done",
    )  # fmt: skip
    cloud.skerry("job", "wait", "runner", "--for", "phase=running")
    cloud.kill()
    cloud.start()
    assert cloud.json("job", "get", "runner")["status"]["phase"] == "running"
    cloud.skerry("job", "wait", "runner", "--for", "ended")
    assert cloud.skerry("logs", "runner").stdout.split() == list("12345678")
    assert cloud.json("job", "get", "runner")["status"]["attempt"] == 1
    assert cloud.audit().returncode == 0
