"""The calls of ``client.kind(...)``, over HTTP."""

import json

import pytest

from skerry.api.catalogue import render
from skerry.client import (
    BadSetting,
    Client,
    Conflict,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    WaitTimeout,
    operations,
)
from tests.client.edge import registry
from tests.client.standin import TOKEN, Cloud, Served

JOBS = "providers/skerry.run/v1/tenants/acme/workspaces/w/jobs"


def test_what_is_put_is_read_back(real: Client) -> None:
    networks = real.kind("network")
    made = networks.put("n1", {"cidr": {"ipv4": "10.0.0.0/16"}}, labels={"tier": "web"})
    assert made.created
    assert not networks.put("n1", made.spec, labels=made.labels).created
    found = networks.get("n1")
    assert (found.name, found.version, found.state) == ("n1", 2, "active")
    assert found.spec == {"cidr": {"ipv4": "10.0.0.0/16"}}
    assert found.labels == {"tier": "web"}
    assert found.ref == "seca.network/v1/tenants/acme/workspaces/w/networks/n1"


def test_a_nested_kind_needs_its_parent(real: Client) -> None:
    real.kind("network").put("n1", {"cidr": {"ipv4": "10.0.0.0/16"}})
    made = real.kind("subnet", network="n1").put("s1", {"cidr": {}})
    assert made.ref == "seca.network/v1/tenants/acme/workspaces/w/networks/n1/subnets/s1"
    with pytest.raises(BadSetting, match="no network is given"):
        real.kind("subnet").get("s1")
    with pytest.raises(TypeError, match="does not live in a house"):
        real.kind("subnet", house="h")


def test_lists_go_on_over_all_pages(real: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PAGE", 3)
    keys = real.kind("cipher")
    for number in range(7):
        keys.put(f"k{number}", {}, labels={"even": "no" if number % 2 else "yes"})
    assert [key.name for key in keys.list()] == [f"k{n}" for n in range(7)]
    assert [key.name for key in keys.list(limit=4)] == ["k0", "k1", "k2", "k3"]
    assert [key.name for key in keys.list("even=no")] == ["k1", "k3", "k5"]
    assert list(real.kind("network").list()) == []


def test_a_stale_version_is_refused(real: Client) -> None:
    keys = real.kind("cipher")
    keys.put("k", {})
    keys.put("k", {}, if_version=1)
    with pytest.raises(PreconditionFailed) as caught:
        keys.put("k", {}, if_version=1)
    assert isinstance(caught.value, Conflict)
    assert caught.value.hint.startswith("Read it again")
    with pytest.raises(PreconditionFailed):
        keys.delete("k", if_version=1)


def test_a_dry_run_stores_nothing(real: Client) -> None:
    keys = real.kind("cipher")
    assert keys.put("k", {"rotateDays": 3}, dry_run=True).spec == {"rotateDays": 3}
    with pytest.raises(NotFound):
        keys.get("k")


def test_delete_then_wait_until_gone(real: Client) -> None:
    keys = real.kind("cipher")
    keys.put("k", {})
    keys.delete("k")
    assert keys.wait("k", until="deleted", timeout=5) is None


def test_problems_say_where_and_what_to_do(real: Client) -> None:
    with pytest.raises(InvalidRequest) as caught:
        real.kind("cipher").put("k", {"bad": 1})
    error = caught.value
    assert (error.status, error.message) == (422, "Validation error")
    assert error.detail == "spec: object contains unknown field `bad`"
    assert [source.pointer for source in error.sources] == ["/spec/bad"]
    assert len(error.request_id) == 32


def test_a_wrong_token_is_told(url: str) -> None:
    with Client(url, "wrong", tenant="acme") as client, pytest.raises(Unauthenticated):
        client.whoami()


@pytest.mark.parametrize("name", ["../../x", "a/b", ".."])
def test_names_that_leave_the_collection_are_never_sent(
    client: Client, cloud: Cloud, name: str
) -> None:
    with pytest.raises(BadSetting, match="not a valid name"):
        client.kind("cipher").get(name)
    assert cloud.requests == []


def test_actions_carry_their_body(client: Client, cloud: Cloud) -> None:
    client.kind("cipher").put("k", {})
    assert client.kind("cipher").act("k", "rotate", {"grace": 60}) == {}
    assert cloud.events[-1]["verb"] == "rotate"


def test_a_wait_ends_in_time(client: Client, cloud: Cloud) -> None:
    cloud.hold = True
    client.kind("job").put("j", {"command": ["true"]})
    with pytest.raises(WaitTimeout, match=r"job j is queued after 0\.3 s") as caught:
        client.kind("job").wait("j", until="ended", timeout=0.3)
    assert caught.value.last.phase == "queued"
    cloud.finish(f"{JOBS}/j", "failed", 3)
    ended = client.kind("job").wait("j", until=lambda job: job.status["exitCode"] == 3)
    assert ended is not None
    assert ended.phase == "failed"


def test_a_unix_socket_is_an_address_too(cloud: Cloud, tmp_path: object) -> None:
    with (
        Served(cloud, f"{tmp_path}/api.sock") as served,
        Client(served.url, TOKEN, tenant="acme") as client,
    ):
        assert client.whoami()["subject"] == "ann@acme"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(BadSetting, match="no cloud is given"):
        Client()
    with pytest.raises(BadSetting, match="is not the address of a cloud"):
        Client("127.0.0.1:8420")


def test_a_cloud_tells_its_own_kinds(real: Client) -> None:
    assert real.get("/catalogue.json") == json.loads(render(registry()))
