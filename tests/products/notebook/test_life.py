"""A notebook's life, with a simulated site."""

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.resources import Resource
from skerry.products.notebook import flow, jupyter
from tests.products.run.cloud import AT, Cloud


async def tell(cloud: Cloud, notebook: Resource, what: str) -> None:
    """As its gateway does, or a person."""
    async with cloud.db.transaction() as tx:
        await cloud.resources.intend(tx, notebook.uid, what)


async def owned(cloud: Cloud, notebook: Resource, noun: str) -> Resource:
    async with cloud.db.transaction() as tx:
        [found] = [c for c in await cloud.resources.children(tx, notebook.uid) if c.kind == noun]
    return found


async def backends(cloud: Cloud, notebook: Resource) -> list[str]:
    route = await owned(cloud, notebook, "route")
    return [backend["workload"] for backend in route.spec.get("backends", ())]


async def shown(cloud: Cloud, notebook: Resource) -> dict[str, object]:
    hooks = cloud.resources.registry["notebook"].hooks
    assert hooks is not None
    async with cloud.db.transaction() as tx:
        return dict(await hooks.shown(tx, cloud.resources, await cloud.read(notebook)))


async def test_it_serves_sleeps_wakes_and_goes(cloud: Cloud) -> None:
    await cloud.site()
    notebook = await cloud.put("notebook", "lab", {"millicores": 2000})
    running = await cloud.until(notebook, "running")
    assert running.state == "active"
    assert running.status["site"] == "one"
    assert running.status["message"] == "It has no volume: its files are lost when it stops."
    pod = await owned(cloud, notebook, "pod")
    assert await backends(cloud, notebook) == [pod.status["workload"]]
    assert pod.spec["health"] == {"port": jupyter.PORT}
    await cloud.let_pass(120)
    cost = (await shown(cloud, notebook))["cost"]
    assert isinstance(cost, dict)
    assert cost["amountNano"] > 0
    assert cost["perHourNano"] == pod.status["pricePerHourNano"]

    await tell(cloud, notebook, "stop")
    stopped = await cloud.until(notebook, "stopped")
    assert stopped.state == "active"
    assert stopped.status["message"].startswith("It was told to stop. Its files are gone;")
    assert await backends(cloud, notebook) == []
    assert cloud.at_site() == ["exited"]
    sleeping = (await shown(cloud, notebook))["cost"]
    await cloud.let_pass(120)
    assert (await shown(cloud, notebook))["cost"] == sleeping
    assert isinstance(sleeping, dict)
    assert sleeping["perHourNano"] == 0

    await tell(cloud, notebook, "wake")
    await cloud.until(notebook, "running")
    again = await owned(cloud, notebook, "pod")
    assert again.uid == pod.uid
    assert await backends(cloud, notebook) == [again.status["workload"]]
    assert again.status["workload"] != pod.status["workload"]

    await cloud.delete(notebook)
    await cloud.let_pass(30)
    assert await cloud.gone(notebook)
    await cloud.assert_books_closed()


async def test_whoever_uses_it_is_not_cut_off_by_a_jupyter_that_is_slow_to_answer(
    cloud: Cloud,
) -> None:
    """The twin listens and answers nothing that Jupyter would: that is no word of idleness, until
    it lasts too long."""
    await cloud.site()
    notebook = await cloud.put("notebook", "lab", {"idle": 60})
    await cloud.until(notebook, "running")
    for _ in range(3):
        await tell(cloud, notebook, "idle")
        await cloud.let_pass(60)
        assert (await cloud.read(notebook)).phase == "running"
    await cloud.let_pass(flow.SILENT)
    await tell(cloud, notebook, "idle")
    stopped = await cloud.until(notebook, "stopped")
    assert stopped.status["reason"] == "NoAnswer"


async def test_a_change_of_what_it_runs_on_starts_it_anew(cloud: Cloud) -> None:
    await cloud.site()
    notebook = await cloud.put("notebook", "lab", {})
    await cloud.until(notebook, "running")
    [before] = await backends(cloud, notebook)
    await cloud.put("notebook", "lab", {}, labels={"team": "blue"})
    await cloud.let_pass(10)
    assert await backends(cloud, notebook) == [before]
    await cloud.put("notebook", "lab", {"millicores": 500})
    await cloud.let_pass(30)
    assert (await cloud.read(notebook)).phase == "running"
    [after] = await backends(cloud, notebook)
    assert after != before
    await tell(cloud, notebook, "stop")
    await cloud.until(notebook, "stopped")
    await cloud.put("notebook", "lab", {"millicores": 250})
    await cloud.let_pass(30)
    assert (await cloud.read(notebook)).phase == "stopped"


async def test_one_that_fails_says_why_and_is_not_tried_with_each_page(cloud: Cloud) -> None:
    await cloud.site()
    await cloud.put("secret", "keys", {"data": {"one": "1"}})
    asked = {"secrets": [{"secret": "keys", "key": "two", "env": "TWO"}]}
    notebook = await cloud.put("notebook", "lab", asked)
    failed = await cloud.until(notebook, "failed")
    assert failed.state == "error"
    assert "'two'" in failed.status["message"]
    await tell(cloud, notebook, "wake")
    await cloud.let_pass(10)
    assert len(await cloud.leases(await owned(cloud, notebook, "pod"))) == 1
    await cloud.put("secret", "keys", {"data": {"two": "2"}})
    await tell(cloud, notebook, "start")
    assert (await cloud.until(notebook, "running")).state == "active"


async def test_its_pod_stopped_by_hand_stops_it(cloud: Cloud) -> None:
    await cloud.site()
    notebook = await cloud.put("notebook", "lab", {})
    await cloud.until(notebook, "running")
    pod = await owned(cloud, notebook, "pod")
    await tell(cloud, pod, "stop")
    await cloud.until(notebook, "stopped")
    await tell(cloud, pod, "start")
    await cloud.until(notebook, "running")


async def test_what_its_pod_would_be_refused_for_is_refused_at_once(cloud: Cloud) -> None:
    with pytest.raises(ValidationError) as refused:
        await cloud.put("notebook", "lab", {"volume": "nowhere"})
    assert refused.value.sources[0].pointer == "/spec/volume"
    secret = {"secret": "none", "key": "k", "env": "X"}
    with pytest.raises(ValidationError) as refused:
        await cloud.put("notebook", "lab", {"secrets": [secret]})
    assert refused.value.sources[0].pointer == "/spec/secrets/0/secret"
    await cloud.put("pod", "taken", {"command": ["serve"]})
    with pytest.raises(Conflict, match="there is a pod 'taken' already"):
        await cloud.put("notebook", "taken", {})
    await cloud.put("route", "led", {})
    with pytest.raises(Conflict, match="route 'led' exists"):
        await cloud.put("notebook", "led", {})


async def test_its_key_stands_in_no_document_and_no_change(cloud: Cloud) -> None:
    await cloud.site()
    notebook = await cloud.put("notebook", "lab", {"secretEnv": {"TOKEN": "hush"}})
    await cloud.until(notebook, "running")
    async with cloud.db.transaction() as tx:
        key = await cloud.resources.sealer.open(tx, AT.tenant, notebook.uid, "key")
        route = await owned(cloud, notebook, "route")
        assert await cloud.resources.sealer.open(tx, AT.tenant, route.uid, "key") == key
        pod = await owned(cloud, notebook, "pod")
        given = await cloud.resources.sealer.open(tx, AT.tenant, pod.uid, "secretEnv")
    assert given == {"TOKEN": "hush", jupyter.KEY: key}
    for word in (str(key), "hush"):
        for table in ("resource", "change", "flow"):
            assert await cloud.db.fetchval(
                f"select count(*) from {table} r where r::text like '%' || $1 || '%'", word
            ) == 0  # fmt: skip
