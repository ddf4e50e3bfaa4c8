"""Two APIs and three workers on one Postgres share the work; any of them dies at any moment."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from skerry.store.postgres import EmbeddedPostgres
from tests.harness.nodes import Nodes, nodes
from tests.harness.served import database, until
from tests.sites.local.rigs import clean

pytestmark = pytest.mark.long
JOBS = "skerry.run/v1/tenants/operator/workspaces/default/jobs"
BILLED = """select distinct h.lease, h.resource from usage u join stream s on s.id = u.stream
join hold h on h.lease = s.lease where u.quantity > 0"""
UNSEEN = """select distinct h.resource, g.starts_at, g.ends_at from meter_gap g
join stream s using (source) join hold h on h.lease = s.lease"""
ENDED = ("succeeded", "failed", "cancelled")


@pytest.fixture
def many(_postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Nodes]:
    with database(_postgres) as url:
        try:
            with nodes(tmp_path, url, "a1", "a2", "w1", "w2", "w3") as made:
                made.join()
                yield made
        finally:
            if (tmp_path / "host").exists():
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(asyncio.run, clean(tmp_path / "host")).result()


def put(many: Nodes, name: str, seconds: float) -> None:
    """A job that says its name when it ends. To put it again changes nothing."""
    spec = {
        "command": ["sh", "-c", f"sleep {seconds}; echo {name}"],
        "millicores": 20,
        "memory": 16 << 20,
    }
    many.call("PUT", f"{JOBS}/{name}", {"spec": spec})


def listed(many: Nodes) -> dict[str, Any]:
    return {j["metadata"]["name"]: j["status"] for j in many.call("GET", JOBS)["items"]}


def test_any_node_may_die_under_load(many: Nodes) -> None:
    """One after the other, each while jobs are put, started, run and ended; then it is back."""
    names: list[str] = []
    for round_, victim in enumerate(["w1", "a1", "w2", "w3", "a2", "holder"]):
        for number in range(5):
            names.append(f"j{round_}-{number}")
            put(many, names[-1], 0.2 + number)
        node = many.holder() if victim == "holder" else many[victim]
        running = set(listed(many))
        assert set(names) == running
        node.kill()
        names.append(f"j{round_}-after")
        put(many, names[-1], 0.1)
        node.start()
        node.wait()
    until(lambda: all(s["phase"] in ENDED for s in listed(many).values()), many.tail)
    done = listed(many)
    assert set(done) == set(names)
    for name in names:
        assert (done[name]["phase"], done[name]["attempt"]) == ("succeeded", 1), name
    billed_once(many, done)
    audited = many.audit()
    assert audited.returncode == 0, audited.stdout


def billed_once(many: Nodes, done: dict[str, Any]) -> None:
    """Each is billed by one lease, though others may have been taken and given back while its host
    was out of reach; and it costs what those of its seconds cost in which that was in sight."""
    billed = Counter(row["resource"].rpartition("/")[2] for row in many.rows(BILLED))
    assert billed == Counter(done.keys()), [done[name] for name in done if name not in billed]
    unseen = many.rows(UNSEEN)
    for name, status in done.items():
        start, end = (datetime.fromisoformat(status[k]) for k in ("startedAt", "endedAt"))
        seconds = (end - start).total_seconds() - sum(
            max(0.0, (min(end, gap["ends_at"]) - max(start, gap["starts_at"])).total_seconds())
            for gap in unseen
            if gap["resource"].endswith(f"/{name}")
        )
        due = status["pricePerHourNano"] * seconds / 3600
        shown = many.call("GET", f"{JOBS}/{name}")["status"]
        assert abs(shown["cost"]["amountNano"] - due) <= 10, name


def test_a_gateway_reaches_what_runs(many: Nodes) -> None:
    """It is a node of its own and holds no host's connection; a worker's death is not noticed by
    who asks a little later."""
    many.start("g1")
    spec = {
        "command": ["sh", "-c", "echo hello > word; exec python3 -m http.server 8000"],
        "port": 8000, "millicores": 100, "memory": 64 << 20,
    }  # fmt: skip
    services = "skerry.run/v1/tenants/operator/workspaces/default/services"
    many.call("PUT", f"{services}/hello", {"spec": spec})
    gate = httpx2.URL(many["g1"].url)

    def word() -> str:
        status = many.call("GET", f"{services}/hello")["status"]
        if not status.get("url"):
            return ""
        answer = httpx2.get(
            f"http://127.0.0.1:{gate.port}/word", headers={"host": httpx2.URL(status["url"]).host}
        )
        return answer.text if answer.is_success else ""

    until(lambda: word() == "hello\n", many.tail)
    many.holder().kill()
    until(lambda: word() == "hello\n", many.tail)


def test_the_work_is_shared(many: Nodes) -> None:
    """Every worker takes flows, whichever of them holds the host's connection."""
    names = [f"s{number}" for number in range(20)]
    for name in names:
        put(many, name, 0)
    until(lambda: all(s["phase"] in ENDED for s in listed(many).values()), many.tail)
    assert {s["phase"] for s in listed(many).values()} == {"succeeded"}
    holder = many.holder()
    holder.kill()
    put(many, "next", 0)
    until(lambda: listed(many)["next"]["phase"] == "succeeded", many.tail)
    audited = many.audit()
    assert audited.returncode == 0, audited.stdout
