"""Server and agents one version apart: what the other does not know is refused, never left out."""

import asyncio
import socket

import pytest

from skerry.sites.contract import Health, Mount, Refused, Resources, Workload
from skerry.sites.fitting import KNOWN_TO_1, VERBS_OF_1, Fit, unknown
from skerry.sites.remote import RemoteDriver, known, serve
from skerry.sites.simulated.driver import Simulated

PLAIN = Workload(id="w", tenant="t", command=("true",), resources=Resources(millicores=1, memory=1))


def like(**changes: object) -> Workload:
    fields = {name: getattr(PLAIN, name) for name in PLAIN.__struct_fields__}
    return Workload(**fields | changes)


def test_an_agent_of_this_version_is_asked_anything() -> None:
    fit = Fit.of("2", 2, ("apply",), known())
    fit.check("apply", (like(mounts=(Mount(volume="v", path="/v"),)), 1))
    assert {"Workload", "Resources", "Mount", "Health"} <= known().keys()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mounts", (Mount(volume="v", path="/v"),)),
        ("health", Health(port=80)),
        ("secret_files", {"/s": "x"}),
        ("environment", "sha256:" + "0" * 64),
    ],
)
def test_an_older_agent_is_not_asked_what_it_would_leave_out(field: str, value: object) -> None:
    fit = Fit.of("0.1", 1, (), {})
    fit.check("apply", (PLAIN, 1))
    with pytest.raises(Refused, match=rf"version 0.1 and knows nothing of Workload.{field}") as no:
        fit.check("apply", (like(**{field: value}), 1))
    assert no.value.reason == "Unsupported"


def test_a_verb_it_lacks_is_refused_in_words() -> None:
    for fit in (Fit.of("0.1", 1, (), {}), Fit.of("9", 2, VERBS_OF_1, KNOWN_TO_1)):
        for verb in VERBS_OF_1:
            fit.check(verb, ())
        with pytest.raises(Refused, match="can't snapshot: update Skerry on the host"):
            fit.check("snapshot", ())


def test_fields_within_fields_count() -> None:
    less = {**known(), "Mount": ("volume", "path")}
    mounts = (Mount(volume="a", path="/a"), Mount(volume="b", path="/b", read_only=True))
    assert unknown(like(mounts=mounts[:1]), less) == ""
    assert unknown(like(mounts=mounts), less) == "Mount.read_only"


async def test_an_older_agent_sends_both_outputs_as_one() -> None:
    twin = Simulated.open({})
    ours, theirs = socket.socketpair()
    serving = asyncio.create_task(serve(*await asyncio.open_connection(sock=theirs), twin))
    old = RemoteDriver(
        *await asyncio.open_connection(sock=ours), fit=Fit.of("0.1", 1, (), {}), near=True
    )
    calling = asyncio.create_task(old.run())
    await old.apply(like(env={"SKERRY_SIM": '[["stay"]]'}), 1)
    async with asyncio.timeout(30):
        while not (await old.list())[1][0].running:
            await asyncio.sleep(0.01)
        session = await old.exec("w", 0, ("cat", "missing"), False)
        name, said = await session.take()
        assert (name, await session.take()) == ("stdout", ("stdout", b""))
        assert said.startswith(b"cat: missing:")
        assert await session.wait() == 1
    await session.close()
    await old.close()
    await asyncio.gather(serving, calling)
    await twin.close()
