"""Into a running workload: connections to its ports, commands beside it."""

import asyncio
import os
import signal
import socket

import pytest

from skerry.sites.contract import Port, Reach, Refused, Session, Workloads
from skerry.sites.dial import dial
from tests.sites.contract.rig import (
    PATIENCE,
    Base,
    Rig,
    lacks,
    plain,
    printed,
    run,
    running,
    workload,
)
from tests.sites.contract.script import Script


async def _all(session: Session) -> bytes:
    got = b""
    async with asyncio.timeout(PATIENCE):
        while piece := await session.read():
            got += piece
    return got


async def _said_back(session: Session, text: bytes) -> bytes:
    """Send ``text`` and read as many bytes."""
    await session.write(text)
    got = b""
    async with asyncio.timeout(PATIENCE):
        while len(got) < len(text) and (piece := await session.read()):
            got += piece
    return got


class Reaching(Base):
    async def test_a_port_is_reached(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().serve(8080), ports=(Port(name="http", port=8080),))
        await site.apply(work, 1)
        if await lacks(rig, "connect", lambda: site.connect(work.id, 0, 8080)):
            return
        await printed(site, work.id, "serving")
        session = await site.connect(work.id, 0, 8080)
        assert await _said_back(session, b"hello") == b"hello"
        assert await _said_back(session, b"again") == b"again"
        await session.close_write()
        assert await _all(session) == b""
        assert await session.wait() == 0
        await session.close()

    async def test_much_data_goes_both_ways(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().serve(8080), ports=(Port(name="http", port=8080),))
        await site.apply(work, 1)
        if await lacks(rig, "connect", lambda: site.connect(work.id, 0, 8080)):
            return
        await printed(site, work.id, "serving")
        session = await site.connect(work.id, 0, 8080)
        sent = bytes(range(256)) * 16_000

        async def send() -> None:
            await session.write(sent)
            await session.close_write()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            got = group.create_task(_all(session))
        assert got.result() == sent
        await session.close()

    async def test_connections_do_not_mix(self, rig: Rig, site: Workloads) -> None:
        """Nor do workloads: in a sandbox each has all the port numbers to itself."""
        ports = (8080, 8081 if rig.isolation == "process" else 8080)
        works = [
            workload(rig, Script().serve(port), ports=(Port(name="http", port=port),))
            for port in ports
        ]
        for work in works:
            await site.apply(work, 1)
        if await lacks(rig, "connect", lambda: site.connect(works[0].id, 0, 8080)):
            return
        for work in works:
            await printed(site, work.id, "serving")
        sessions = [
            await site.connect(work.id, 0, port)
            for work, port in zip(works, ports, strict=True)
            for _ in range(5)
        ]
        async with asyncio.TaskGroup() as group:
            answers = [
                group.create_task(_said_back(session, f"session {n}".encode()))
                for n, session in enumerate(sessions)
            ]
        assert [a.result() for a in answers] == [f"session {n}".encode() for n in range(10)]
        for session in sessions:
            await session.close()

    async def test_a_port_that_was_not_named_is_reached(self, rig: Rig, site: Workloads) -> None:
        """A debugger's, say; but in the host's own network it may be anybody's."""
        port = 20000 + os.getpid() % 10000
        work = workload(rig, Script().serve(port))
        await site.apply(work, 1)
        if await lacks(rig, "connect", lambda: site.connect(work.id, 0, port)):
            return
        await printed(site, work.id, "serving")
        if rig.isolation == "process":
            with pytest.raises(Refused) as refused:
                await site.connect(work.id, 0, port)
            assert refused.value.reason == "UnknownPort"
            return
        session = await site.connect(work.id, 0, port)
        assert await _said_back(session, b"hello") == b"hello"
        await session.close()

    async def test_a_port_where_nobody_listens_is_refused(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay(), ports=(Port(name="http", port=8080),))
        await site.apply(work, 1)
        await running(site, work.id)
        unnamed = "UnknownPort" if rig.isolation == "process" else "NotListening"
        for port, reason in ((22, unnamed), (8080, "NotListening"), (70000, "UnknownPort")):
            if await lacks(rig, "connect", lambda port=port: site.connect(work.id, 0, port)):
                continue
            with pytest.raises(Refused) as refused:
                await site.connect(work.id, 0, port)
            assert refused.value.reason == reason
            plain(refused.value)

    async def test_the_end_of_the_task_ends_its_connections(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().serve(8080), ports=(Port(name="http", port=8080),))
        await site.apply(work, 1)
        if await lacks(rig, "connect", lambda: site.connect(work.id, 0, 8080)):
            return
        await printed(site, work.id, "serving")
        session = await site.connect(work.id, 0, 8080)
        assert await _said_back(session, b"x") == b"x"
        await site.signal(work.id, signal.SIGKILL, 1)
        assert await _all(session) == b""
        await session.close()

    async def test_a_command_runs_beside_it(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        if await lacks(rig, "exec", lambda: site.exec(work.id, 0, ("cat",), False)):
            return
        session = await site.exec(work.id, 0, ("cat",), False)
        assert await _said_back(session, b"to and fro\n") == b"to and fro\n"
        await session.write(b"the end\n")
        await session.close_write()
        assert await _all(session) == b"the end\n"
        assert await session.wait() == 0
        await session.close()

    async def test_its_exit_code_comes_back(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        for command, code in ((("true",), 0), (("false",), 1)):
            if await lacks(
                rig, "exec", lambda command=command: site.exec(work.id, 0, command, False)
            ):
                continue
            session = await site.exec(work.id, 0, command, False)
            assert await _all(session) == b""
            assert await session.wait() == code
            await session.close()

    async def test_its_outputs_are_kept_apart(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().write("note", "well done\n").stay())
        await site.apply(work, 1)
        await running(site, work.id)
        command = ("cat", "missing")
        if await lacks(rig, "exec", lambda: site.exec(work.id, 0, command, False)):
            return
        for path, name, said, code in (
            ("missing", "stderr", b"cat: missing: No such file", 1),
            ("note", "stdout", b"well done\n", 0),
        ):
            session = await site.exec(work.id, 0, ("cat", path), False)
            got = b""
            async with asyncio.timeout(PATIENCE):
                while (taken := await session.take(7))[1]:
                    assert taken[0] == name
                    got += taken[1]
            assert got.startswith(said)
            assert await session.wait() == code
            await session.close()

    async def test_leaving_ends_the_command(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        before = await running(site, work.id)
        if await lacks(rig, "exec", lambda: site.exec(work.id, 0, ("cat",), False)):
            return
        for _ in range(3):
            session = await site.exec(work.id, 0, ("cat",), False)
            await session.close()
        assert await running(site, work.id) == before

    async def test_nothing_goes_into_what_has_ended(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script(), ports=(Port(name="http", port=8080),))
        await run(site, work)
        verbs = {
            "exec": lambda: site.exec(work.id, 0, ("cat",), False),
            "connect": lambda: site.connect(work.id, 0, 8080),
        }
        for verb, attempt in verbs.items():
            if await lacks(rig, verb, attempt):
                continue
            with pytest.raises(Refused) as refused:
                await attempt()
            assert refused.value.reason == "NotRunning"
            plain(refused.value)


class _Place:
    """What ``dial`` asks of a hub."""

    def __init__(self, site: Workloads) -> None:
        self._site = site

    def driver(self, at: str) -> Workloads:
        return self._site


class Addressing(Base):
    """``Reach``: whatever way there is, it leads where ``connect`` does."""

    async def test_a_dial_reaches_the_port(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().serve(8080), ports=(Port(name="http", port=8080),))
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        loop = asyncio.get_running_loop()
        for _ in range(2):
            with await dial(_Place(site), "here", work.id, 0, 8080) as end:
                await loop.sock_sendall(end, b"hello")
                async with asyncio.timeout(PATIENCE):
                    assert await loop.sock_recv(end, 5) == b"hello"
                end.shutdown(socket.SHUT_WR)
                async with asyncio.timeout(PATIENCE):
                    assert await loop.sock_recv(end, 5) == b""

    async def test_an_address_is_refused_as_a_connection_is(
        self, rig: Rig, site: Workloads
    ) -> None:
        assert isinstance(site, Reach)
        work = workload(rig, Script().stay(), ports=(Port(name="http", port=8080),))
        await site.apply(work, 1)
        await running(site, work.id)
        over = workload(rig, Script(), ports=(Port(name="http", port=8080),))
        await run(site, over)
        tried = {
            "UnknownPort": (work.id, 0, 70000),
            "UnknownWorkload": ("nobody", 0, 8080),
            "NotRunning": (over.id, 0, 8080),
        }
        for reason, (id, rank, port) in tried.items():
            with pytest.raises(Refused) as refused:
                await site.address(id, rank, port)
            assert refused.value.reason == reason
            plain(refused.value)
