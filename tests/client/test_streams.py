"""Watches and logs stay whole across lost connections."""

import asyncio
import threading
from itertools import islice

import pytest

from skerry.client import AsyncClient, Client, Gone, Resource
from skerry.client.streams import EventReader
from skerry.client.wire import Lines
from tests.client.standin import TOKEN, Cloud


def test_a_watch_gives_every_change_once_though_it_is_cut(client: Client, cloud: Cloud) -> None:
    keys = client.kind("cipher")
    for number in range(5):
        keys.put(f"k{number}", {}, annotations={"note": "line\u2028separator\nand feed"})
    cloud.cut_after = 2
    seen = list(islice(keys.watch(start=-1), 5))
    assert [event.resource.name for event in seen] == [f"k{n}" for n in range(5)]
    assert [event.position for event in seen] == list(range(5))
    assert {event.verb for event in seen} == {"put"}
    assert seen[0].resource["annotations"] == {"note": "line\u2028separator\nand feed"}


def test_a_watch_cut_before_its_first_event_misses_none(client: Client, cloud: Cloud) -> None:
    keys = client.kind("cipher")
    keys.put("before", {})
    cloud.cut_after = 0
    seen: list[str] = []

    def look() -> None:
        seen.append(next(keys.watch()).resource.name)

    looking = threading.Thread(target=look)
    looking.start()
    while not any(query.get("watch") for _, _, query in cloud.requests):
        threading.Event().wait(0.01)
    keys.put("after", {})
    looking.join(20)
    assert seen == ["after"]
    assert [q.get("from") for _, _, q in cloud.requests if q.get("watch")] == [None, "0"]


def test_a_watch_can_start_after_a_position(client: Client) -> None:
    keys = client.kind("cipher")
    for number in range(3):
        keys.put(f"k{number}", {})
    assert next(keys.watch(start=1)).resource.name == "k2"


def test_a_forgotten_position_is_gone(client: Client, cloud: Cloud) -> None:
    cloud.oldest = 10
    with pytest.raises(Gone, match="no longer kept"):
        next(client.kind("cipher").watch(start=3))


def test_a_log_is_whole_though_it_is_cut(client: Client, cloud: Cloud) -> None:
    jobs = client.kind("job")
    jobs.put("j", {"command": ["sh", "-c", "printf out; printf err >&2"]})
    jobs.wait("j", until="ended")
    cloud.cut_after = 1
    chunks = list(jobs.logs("j", follow=True))
    assert [(c.stream, c.data, c.offset) for c in chunks] == [
        ("stdout", b"out", 0),
        ("stderr", b"err", 3),
    ]


def test_a_log_can_start_in_the_middle(client: Client) -> None:
    jobs = client.kind("job")
    jobs.put("j", {"command": ["sh", "-c", "printf out; printf err >&2"]})
    jobs.wait("j", until="ended")
    assert [c.data for c in jobs.logs("j", offset=3)] == [b"err"]


async def test_the_asynchronous_client_does_the_same(url: str, cloud: Cloud) -> None:
    async with AsyncClient(url, TOKEN, tenant="acme", workspace="w") as client:
        job = await client.run(["sh", "-c", "echo hello; exit 3"], cpus="0.5")
        assert (job.phase, job.status["exitCode"]) == ("failed", 3)
        assert job.spec["millicores"] == 500
        chunks = [chunk async for chunk in client.kind("job").logs(job.name, follow=True)]
        assert b"".join(c.data for c in chunks) == b"hello\n"
        names = [found.name async for found in client.kind("job").list()]
        assert names == [job.name]
        cloud.cut_after = 0
        watch = client.kind("job").watch(start=-1)
        assert (await anext(watch)).verb == "put"
        waiting = asyncio.ensure_future(
            client.kind("job").wait(job.name, until="state=deleting", timeout=60)
        )
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


def test_events_may_span_lines() -> None:
    reader = EventReader()
    lines = ["id: 7", "event: put", "data: {", "data:  1}", ": a comment", "retry: 5", ""]
    assert [found for line in lines if (found := reader.feed(line))] == [("put", "{\n 1}")]
    assert reader.last_id == "7"
    assert reader.feed("") is None


def test_lines_end_at_line_feeds_only() -> None:
    lines = Lines()
    assert lines.feed("a\u2028b\r\nc\x85".encode()) == ["a\u2028b"]
    assert lines.feed(b"d\n\n") == ["c\x85d", ""]


def test_a_resource_is_the_document() -> None:
    document = {"metadata": {"name": "x"}, "status": {"state": "active", "phase": "running"}}
    assert Resource(document) == document
    assert Resource(document).phase == "running"
    assert Resource({}).state == ""


def test_the_real_feed_tells_each_change_once(real: Client) -> None:
    keys = real.kind("cipher")
    keys.put("k0", {})
    seen = keys.watch(start=-1)
    first = next(seen)
    assert (first.kind, first.verb, first.resource.name) == ("cipher", "put", "k0")
    keys.put("k0", {"rotateDays": 3})
    keys.put("k1", {})
    keys.delete("k1")
    later = list(islice(seen, 3))
    assert [(e.verb, e.resource.name) for e in later] == [
        ("put", "k0"),
        ("put", "k1"),
        ("deleted", "k1"),
    ]
    assert later[0].resource.spec == {"rotateDays": 3}
    again = keys.watch(start=first.position)
    assert next(again).position == later[0].position
    everything = real.events(start=-1, kinds=["workspace", "cipher"])
    assert [e.kind for e in islice(everything, 2)] == ["workspace", "cipher"]
