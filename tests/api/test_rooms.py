"""What goes on, over HTTP: charts, what runs, logs, alerts, events, metrics; and who may see it."""

import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from skerry import __version__
from skerry.kernel import alerts
from skerry.market import offers
from skerry.market.ask import Divisible, GpuStock, Offer, Used
from skerry.series import Batch, Recorder, Requests
from skerry.series.logs import Read, add, places
from skerry.store import Database, Tx
from tests.harness.prices import priced
from tests.harness.served import Served, elsewhere, served, until

ACME = "/providers/skerry.run/v1/tenants/acme/workspaces"
SERIES = "/providers/skerry.series/v1"
SERVER_FAMILIES = (
    "node_up", "queue_wait_seconds", "log_leaves", "log_lag_leaves", "log_checkpoint_age_seconds",
    "ledger_imbalance_nano", "ledger_accounts", "settlement_lag_seconds", "disk_free_bytes",
)  # fmt: skip
LAB = f"{SERIES}/tenants/acme/workspaces/lab"


class House:
    """A cloud with two jobs in ``lab``, one in ``other``, and what they used and wrote."""

    def __init__(self, cloud: Served) -> None:
        self.cloud = cloud
        self.uids: dict[str, uuid.UUID] = {}

    def begin(self) -> None:
        self.cloud.put("/providers/skerry.identity/v1/tenants/acme")
        self.cloud.put("/providers/skerry.identity/v1/tenants/rival")
        for workspace, names in (("lab", "ab"), ("other", "c")):
            self.cloud.put(f"/providers/seca.workspace/v1/tenants/acme/workspaces/{workspace}")
            for name in names:
                self.cloud.put(f"{ACME}/{workspace}/jobs/{name}", {"command": ["sleep", "1"]})
        for row in self.cloud.rows("select uid, name from resource where kind = 'job'"):
            self.uids[row["name"]] = row["uid"]
        roles = "/providers/seca.authorization/v1/tenants/acme/roles"
        permission = {"provider": "skerry.run", "resources": ["jobs/a"], "verb": ["get"]}
        self.cloud.put(f"{roles}/reads-a", {"permissions": [permission]})
        self.people = {
            "reader": self.cloud.user("acme", "reader", "skerry.auditor"),
            "only-lab": self.cloud.user(
                "acme", "only-lab", "seca.workspace-viewer", workspaces=("lab",)
            ),
            "only-a": self.cloud.user("acme", "only-a", "reads-a"),
            "nobody": self.cloud.user("acme", "nobody"),
            "stranger": self.cloud.user("rival", "stranger", "seca.admin"),
        }
        self.speak()
        self.within(self._write)

    def within(self, work: Callable[[Database], Awaitable[None]]) -> None:
        async def run() -> None:
            db = await Database.open(self.cloud.database, size=2)
            try:
                await work(db)
            finally:
                await db.close()

        elsewhere(run())

    async def _owners(self, tx: Tx, names: Sequence[str]) -> Mapping[str, uuid.UUID]:
        return {name: self.uids[name.removeprefix("w-")] for name in names}

    def speak(self) -> None:
        """Let the host and the gateway say what they see now."""
        self.within(self._speak)

    async def _speak(self, db: Database) -> None:
        recorder = Recorder(db)
        keys = [("w-a", 0), ("w-a", 1), ("w-b", 0), ("w-c", 0)]
        memory = {"memory": [100.0, 50.0, 10.0, 1.0], "cpu": [5.0, 5.0, 7.0, None]}
        host = Batch("host", [("", 0)], {"memory": [1000.0], "cpu": [60.0]})
        await recorder.write("hall", [host, Batch("task", keys, memory, self._owners)])
        requests = Requests()
        requests.count(self.uids["a"], failed=True, seconds=0.25, received=10, sent=20)
        await recorder.write("gateway/main", [requests.read()])

    async def _write(self, db: Database) -> None:
        async with db.transaction() as tx:
            for name, text in (("a", "boot\nfatal: no disk\n"), ("b", "fatal: no net\n")):
                task = (f"w-{name}", 0)
                cutter = (await places(tx, [task]))[task]
                lines = list(cutter.feed(0, "stderr", await tx.now(), text.encode()))
                await add(tx, [Read(task, self.uids[name], cutter, lines)])
            for tenant, subject in (("acme", f"{ACME[11:]}/lab/jobs/a"), ("", "the cloud")):
                await alerts.raise_alert(
                    tx, subject=subject, reason="Broken", message="It broke", remedy="Mend it",
                    tenant=tenant,
                )  # fmt: skip

    def get(self, path: str, who: str = "", **query: str) -> Any:
        token = self.people[who] if who else None
        answer = self.cloud.call("GET", path, token=token, params=query)
        return answer.json() if answer.is_success else answer.status_code


@pytest.fixture(scope="module")
def house(_postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    from skerry.kernel.kinds import Registry

    home = tmp_path_factory.mktemp("rooms")
    with served(_postgres, home, prices=priced(Registry.discover())) as cloud:
        house = House(cloud)
        house.begin()
        yield house


def names(items: Collection[Mapping[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def test_a_resource_shows_what_it_used(house: House) -> None:
    house.speak()
    found = house.get(f"{ACME}/lab/jobs/a/metrics", "reader", series="memory,tasks", by="task")
    shown = {series["name"]: series["values"] for series in found["series"]}
    known = [value for value in shown["memory"] if value is not None]
    assert set(known) == {150.0}
    assert {value for value in shown["tasks"] if value is not None} == {2.0}
    assert [(task["workload"], task["rank"]) for task in found["tasks"]] == [("w-a", 0), ("w-a", 1)]
    assert house.get(f"{ACME}/lab/jobs/a/metrics", "stranger") == 404
    assert house.get(f"{ACME}/lab/jobs/b/metrics", "only-a") == 403
    assert house.get(f"{ACME}/lab/jobs/a/metrics", series="speed") == 400


def test_what_runs_is_shown_to_who_may_see_it(house: House) -> None:
    house.speak()
    found = house.get(f"{LAB}/top", "reader")["items"]
    assert names(found) == ["a", "b"]
    assert (found[0]["tasks"], found[0]["uses"]["memory"], found[0]["at"]) == (2, 150.0, ["hall"])
    assert names(house.get(f"{LAB}/top", "only-lab")["items"]) == ["a", "b"]
    assert names(house.get(f"{LAB}/top", "only-a")["items"]) == ["a"]
    assert house.get(f"{LAB}/top", "nobody") in (403, 404)
    assert house.get(f"{LAB}/top", "stranger") == 404
    assert house.get(f"{SERIES}/tenants/acme/workspaces/none/top") == 404


def test_hosts_are_the_operators(house: House) -> None:
    house.speak()
    found = house.get(f"{SERIES}/top")
    [hall] = [host for host in found["hosts"] if host["at"] == "hall"]
    assert hall["uses"]["memory"] == 1000.0
    [acme] = [tenant for tenant in found["tenants"] if tenant["name"] == "acme"]
    assert (acme["tasks"], acme["uses"]["memory"]) == (4, 161.0)
    assert house.get(f"{SERIES}/top", "reader") == 403


async def _two_more_hosts(db: Database) -> None:
    """A site of two hosts with GPUs, a third of one leased."""
    recorder = Recorder(db)
    for host, gpus, busy in (("h1", 3, 1.0), ("h2", 1, 0.5)):
        await recorder.write(f"barn/{host}", [Batch("host", [("", 0)], {"gpu": [busy]})])
        devices = [{"uuid": f"{host}-{n}", "model": "H100", "memory": 1} for n in range(gpus)]
        capacity = {"millicores": 4000, "memory": 8, "disk": 6, "gpus": devices}
        await db.execute(
            "insert into site_contact (at, capacity) values ($1, $2)", f"barn/{host}", capacity
        )
    stock = (GpuStock(model="H100", memory=80, count=3),)
    supply = Divisible(millicores=4000, memory=8, disk=6, gpus=stock)
    offer = Offer(id="barn-h1", supply=supply, site="barn", host="h1", currency="EUR")
    async with db.transaction() as tx:
        await offers.write(tx, offer)
        locked = await offers.lock(tx, offer.id)
        assert locked is not None
        used = Used(millicores=1000, memory=2, disk=3, gpus={"H100": 1})
        await offers.change_use(tx, locked, used)


def test_what_places_have_lease_out_and_use_is_the_operators(house: House) -> None:
    house.speak()
    house.within(_two_more_hosts)
    path = f"{SERIES}/utilisation"
    found = house.get(path, **{"from": "-5m", "step": "15"})
    sites = {site["name"]: site for site in found["sites"]}
    assert sites["barn"]["has"] == {"cpu": 8.0, "memory": 16, "disk": 12, "gpu": 4}
    assert sites["barn"]["leased"] == {"cpu": 1.0, "memory": 2, "disk": 3, "gpu": 1}
    known = {value for value in sites["barn"]["used"]["gpu"] if value is not None}
    assert known == {3.5}, "the busy share of each counts for its GPUs"
    assert {value for value in sites["hall"]["used"]["memory"] if value is not None} == {1000.0}
    assert found["has"]["gpu"] == sum(site["has"]["gpu"] for site in found["sites"])
    assert found["leased"]["cpu"] == sum(site["leased"]["cpu"] for site in found["sites"])
    assert found["hosts"] == sum(site["hosts"] for site in found["sites"])
    assert len(found["used"]["cpu"]) == len(sites["hall"]["used"]["cpu"])
    for who, status in (("reader", 403), ("stranger", 403), ("nobody", 403)):
        assert house.get(path, who) == status
    assert house.get(path, step="x") == 400
    assert house.get(path, **{"from": "-300d", "step": "1"}) == 400


def test_logs_are_found_by_who_may_see_them(house: House) -> None:
    def texts(who: str = "reader", **query: str) -> Any:
        found = house.get(f"{LAB}/logs", who, **query)
        return sorted(line["text"] for line in found["items"]) if isinstance(found, dict) else found

    assert texts(text="fatal") == ["fatal: no disk", "fatal: no net"]
    assert texts(text="fatal disk") == ["fatal: no disk"]
    assert texts(text="fatal", kind="job", name="b") == ["fatal: no net"]
    assert texts(text="fatal", kind="job", name="c") == []
    assert texts("only-lab", text="fatal") == ["fatal: no disk", "fatal: no net"]
    assert texts("only-a", text="fatal") == ["fatal: no disk"]
    assert texts("stranger", text="fatal") == 404
    assert texts(text="---") == 400
    assert texts(text="fatal", name="b") == 400
    assert texts(text="fatal", cursor="x") == 400
    page = house.get(f"{LAB}/logs", text="fatal", limit="1")
    rest = house.get(f"{LAB}/logs", text="fatal", limit="5", cursor=page["next"])
    assert len(page["items"]) == len(rest["items"]) == 1
    assert {"kind": "job", "stream": "stderr", "rank": 0}.items() <= page["items"][0].items()


def test_alerts_are_read_by_operators_and_by_whom_they_concern(house: House) -> None:
    everybody = {alert["spec"]["subject"] for alert in house.get(f"{SERIES}/alerts")["items"]}
    assert {"the cloud", f"{ACME[11:]}/lab/jobs/a"} <= everybody
    [alert] = house.get(f"{SERIES}/tenants/acme/alerts", "reader")["items"]
    assert (alert["spec"]["reason"], alert["status"]["remedy"]) == ("Broken", "Mend it")
    mine = f"{SERIES}/tenants/acme/alerts/{alert['metadata']['name']}"
    assert house.get(mine, "reader") == house.get(mine) == alert
    assert house.get(f"/providers/{alert['metadata']['ref']}") == alert
    assert house.get(mine, "only-a") == alert
    assert house.get(mine, "stranger") == house.get(f"{mine}x") == 404
    assert house.get(mine.replace("acme", "rival"), "stranger") == 404
    assert house.get(f"{SERIES}/alerts/{alert['metadata']['name']}", "reader") == 403
    assert house.get(f"{SERIES}/alerts", phase="cleared")["items"] == []
    assert house.get(f"{SERIES}/alerts", phase="both") == 400
    assert house.get(f"{SERIES}/alerts", "reader") == 403
    assert house.get(f"{SERIES}/tenants/acme/alerts", "stranger") == 404


def test_alerts_are_watched_as_they_are_raised_and_cleared(house: House) -> None:
    async def happen(db: Database) -> None:
        async with db.transaction() as tx:
            await alerts.raise_alert(
                tx, subject="a disk", reason="Watched", message="Full", remedy="Empty it",
                tenant="acme",
            )  # fmt: skip
            await alerts.clear(tx, "a disk")

    house.within(happen)
    for path, who in ((f"{SERIES}/alerts", ""), (f"{SERIES}/tenants/acme/alerts", "reader")):
        token = house.people[who] if who else house.cloud.token
        told = {}
        with house.cloud.http.stream(
            "GET", path, params={"watch": "true", "from": "-1"},
            headers={"authorization": f"Bearer {token}"},
        ) as answer:  # fmt: skip
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    if event["body"]["reason"] == "Watched":
                        told[event["verb"]] = event["body"]["remedy"]
                if len(told) == 2:
                    break
        assert told == {"raise": "Empty it", "clear": "Empty it"}
    assert house.get(f"{SERIES}/tenants/acme/alerts", "only-a", watch="true") == 403
    assert house.get(f"{SERIES}/alerts", "reader", watch="true") == 403
    assert house.get(f"{SERIES}/tenants/acme/alerts", "stranger", watch="true") == 404


def test_what_happened_is_read_backwards(house: House) -> None:
    events = "/providers/skerry.proof/v1/tenants/acme/events"
    found, cursor = [], ""
    while True:
        page = house.get(events, "reader", kinds="job", limit="2", cursor=cursor)
        found += page["items"]
        if "next" not in page:
            break
        cursor = page["next"]
    times = [(event["at"], event["position"]) for event in found]
    assert times == sorted(set(times), reverse=True)
    assert {event["ref"][-1] for event in found} == {"a", "b", "c"}
    assert house.get(events, "stranger") == 404
    assert house.get(events, "reader", kinds="job", workspace="other", limit="1")["items"]


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_prometheus_reads_everything_as_operator(house: House) -> None:
    house.speak()
    answer = house.cloud.call("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = families(answer.text)
    assert found["skerry_host_memory_bytes"].samples[0].value == 1000
    assert found["skerry_task_cpu_seconds"].type == "counter"
    memory = {s.labels["name"]: s for s in found["skerry_task_memory_bytes"].samples}
    assert memory["b"].labels == {
        "tenant": "acme", "workspace": "lab", "kind": "job", "name": "b", "task": "0", "at": "hall",
    }  # fmt: skip
    assert found["skerry_route_request_failures"].samples[0].value == 1
    for name in ("alerts_open", "feed_lag_seconds", "flows", "build_info", *SERVER_FAMILIES):
        assert found[f"skerry_{name}"].samples, name
    assert {s.value for s in found["skerry_ledger_imbalance_nano"].samples} <= {0}
    assert all(family.documentation for family in found.values())
    assert answer.text.isascii()


def test_metrics_hold_no_secret_and_no_spec(house: House) -> None:
    """Names of what runs are in them, what it was given is not."""
    spec = {"command": ["sleep", "secret-argument"], "secretEnv": {"KEY": "secret-value"}}
    house.cloud.put(f"{ACME}/lab/jobs/hush", spec)
    told = house.cloud.call("GET", "/metrics").text
    assert "secret-" not in told
    assert house.cloud.token not in told


def test_the_operator_sees_how_the_cloud_is(house: House) -> None:
    until(lambda: house.get(f"{SERIES}/status")["log"]["size"], house.cloud.told)
    found = house.get(f"{SERIES}/status")
    [process] = found["processes"]
    assert process["version"] == found["version"] == __version__
    assert found["queue"]["flows"] >= 3
    assert found["ledger"]["balanced"] is True
    assert 0 < found["disk"]["freeBytes"] < found["disk"]["totalBytes"]
    assert found["disk"]["databaseBytes"] > 1 << 20
    assert found["log"]["checkpointAgeSeconds"] >= 0
    for who in ("reader", "stranger", "nobody"):
        assert house.get(f"{SERIES}/status", who) == 403


def test_prometheus_reads_ones_own_as_tenant(house: House) -> None:
    house.speak()

    def seen(who: str) -> set[str]:
        found = families(house.cloud.call("GET", "/metrics", token=house.people[who]).text)
        servers = {f"skerry_{name}" for name in SERVER_FAMILIES}
        assert not {"skerry_host_memory_bytes", "skerry_flows", *servers} & set(found)
        samples = found["skerry_task_memory_bytes"].samples if len(found) > 1 else []
        return {sample.labels["name"] for sample in samples}

    assert seen("reader") == {"a", "b", "c"}
    assert seen("only-lab") == {"a", "b"}
    assert seen("only-a") == {"a"}
    assert seen("stranger") == set()
    assert house.cloud.call("GET", "/metrics", token="").status_code == 401
    assert house.cloud.call("GET", "/metrics", token=house.people["nobody"]).status_code == 403


def test_usage_over_time_is_the_bill_by_meter(house: House) -> None:
    found = house.get(f"{SERIES}/tenants/acme/usage", "reader", step="hour", **{"from": "-1d"})
    assert found["items"] == []
    assert house.get(f"{SERIES}/tenants/acme/usage", "only-a") == 403
    assert house.get(f"{SERIES}/tenants/acme/usage", "stranger") == 404
    assert house.get(f"{SERIES}/tenants/acme/usage", step="minute") == 400


def test_an_operators_look_is_told_in_the_tenants_history(house: House) -> None:
    looks = "/providers/skerry.proof/v1/tenants/acme/events?kinds=look"
    reader = house.people["reader"]
    house.cloud.get(f"{LAB}/logs", token=reader)
    for _ in range(2):
        house.cloud.get(f"{LAB}/logs")
        assert house.cloud.call("GET", f"{ACME}/lab/jobs/a/logs").status_code == 200
    until(lambda: len(house.cloud.get(looks, token=reader)["items"]) == 2, house.cloud.told)
    found = [
        (item["verb"], item["ref"].rpartition("acme/")[2], item["actor"])
        for item in house.cloud.get(looks, token=reader)["items"]
    ]
    assert sorted(found) == [
        ("logs", "workspaces/lab", "operator@operator"),
        ("logs", "workspaces/lab/jobs/a", "operator@operator"),
    ]


def test_an_event_has_all_that_its_leaf_hashes(house: House) -> None:
    events = "/providers/skerry.proof/v1/tenants/acme/events"
    reader = house.people["reader"]
    narrow = "kinds=job&verb=put&search=JOBS/a&actor=operator@operator&limit=1"
    [found] = house.cloud.get(f"{events}?{narrow}", token=reader)["items"]
    assert found["ref"].endswith("/jobs/a")
    assert house.cloud.get(f"{events}?search=jobs/a&actor=nobody@acme", token=reader)["items"] == []
    people = house.cloud.get(f"{events}?actor=@&limit=500", token=reader)["items"]
    assert found in people
    assert all("@" in item["actor"] for item in people)
    one = house.cloud.get(f"{events}/{found['position']}", token=reader)
    leaf = json.loads(one["leaf"])
    for name in ("subject", "tenant", "workspace", "actor", "body"):
        salted = bytes.fromhex(one["salt"]) + one[name].encode()
        assert hashlib.sha256(salted).hexdigest() == leaf[name]
    for strange in ("99999999", "x", "-1"):
        answer = house.cloud.call("GET", f"{events}/{strange}", token=reader)
        assert answer.status_code == 404
    other = "/providers/skerry.proof/v1/tenants/operator/events"
    assert house.cloud.call("GET", f"{other}/{found['position']}").status_code == 404
    at = f"{events}/{found['position']}"
    assert house.cloud.call("GET", at, token=house.people["stranger"]).status_code == 404
    assert house.cloud.call("GET", at, token=house.people["nobody"]).status_code in (403, 404)


def test_an_event_tells_from_where(house: House) -> None:
    """As a proxy on this machine says it, or the connection; of Skerry's own doing, nothing."""
    events = "/providers/skerry.proof/v1/tenants/acme/events"
    workspace = "/providers/seca.workspace/v1/tenants/acme/workspaces"
    for name, headers in (("near", {}), ("far", {"x-forwarded-for": "203.0.113.7"})):
        answer = house.cloud.call("PUT", f"{workspace}/{name}", {"spec": {}}, headers=headers)
        assert answer.is_success, answer.text

    def of(name: str) -> list[dict[str, Any]]:
        found = house.cloud.get(f"{events}?kinds=workspace&search=workspaces/{name}")["items"]
        return list(found)

    until(lambda: of("far") and of("near"), house.cloud.told)
    assert [one["address"] for one in of("near") + of("far")] == ["127.0.0.1", "203.0.113.7"]
    at = of("far")[0]["position"]
    reader = house.cloud.get(f"{events}/{at}", token=house.people["reader"])
    assert reader["address"] == "203.0.113.7"
    assert "203.0.113.7" not in reader["leaf"] + reader["body"]
    assert house.cloud.call("GET", f"{events}/{at}", token=house.people["stranger"]).is_error
    system = house.cloud.get(f"{events}?actor=system&limit=500")["items"]
    assert system
    assert not any("address" in one for one in system if one["kind"] != "login")
