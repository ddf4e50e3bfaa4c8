"""The first words on an agent's connection."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from skerry.sites.greeting import Denied, Hello, Welcome, greet, introduce
from skerry.sites.wire import PROTOCOL, WireFault

PATIENCE = 30


async def _streams(end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(sock=end)


def _head(length: int, kind: int, call: int) -> bytes:
    return struct.pack(">IBQ", length, kind, call)


async def _greeted(
    hello: Hello, check: Callable[[Hello], Any]
) -> tuple[Hello | BaseException, Welcome | BaseException]:
    ours, theirs = socket.socketpair()
    async with asyncio.timeout(PATIENCE):
        server, agent = await asyncio.gather(
            greet(*await _streams(ours), check),
            introduce(*await _streams(theirs), hello),
            return_exceptions=True,
        )
    return server, agent


class TestGreeting:
    hello = Hello(site="home", token="secret", version="1", boot_id="b")

    async def test_who_may_stay(self) -> None:
        async def fine(hello: Hello) -> None:
            assert hello.token == "secret"

        server, agent = await _greeted(self.hello, fine)
        assert isinstance(server, Hello)
        assert server.clock == pytest.approx(time.time(), abs=PATIENCE)
        assert server == msgspec.structs.replace(self.hello, clock=server.clock)
        assert agent == Welcome()

    async def test_who_may_not_is_told_why(self) -> None:
        async def no(hello: Hello) -> None:
            raise Denied("the token was revoked")

        server, agent = await _greeted(self.hello, no)
        assert isinstance(server, Denied)
        assert isinstance(agent, Denied)
        assert str(agent) == "the token was revoked"

    async def test_another_protocol_is_told_which(self) -> None:
        async def unasked(hello: Hello) -> None:
            raise AssertionError

        old = msgspec.structs.replace(self.hello, protocol=0)
        _, agent = await _greeted(old, unasked)
        assert isinstance(agent, Denied)
        assert "protocol 0" in str(agent)

    @pytest.mark.parametrize("theirs", [PROTOCOL - 1, PROTOCOL + 1])
    async def test_versions_one_apart_talk_the_older(self, theirs: int) -> None:
        async def fine(hello: Hello) -> float:
            return 12.5

        _, agent = await _greeted(msgspec.structs.replace(self.hello, protocol=theirs), fine)
        assert isinstance(agent, Welcome)
        assert (agent.protocol, agent.renew_in) == (min(theirs, PROTOCOL), 12.5)

    async def test_the_token_is_not_shown(self) -> None:
        assert "secret" not in repr(self.hello)
        assert "secret" not in str(self.hello)

    @pytest.mark.parametrize(
        "sent",
        [b"\0" * 13, _head(3, 0x68, 0) + b"abc", _head(1 << 20, 0x68, 0), _head(0, 7, 0)],
    )
    async def test_no_hello_is_no_welcome(self, sent: bytes) -> None:
        async def unasked(hello: Hello) -> None:
            raise AssertionError

        ours, theirs = socket.socketpair()
        theirs.sendall(sent)
        with pytest.raises(WireFault):
            await greet(*await _streams(ours), unasked)
        theirs.close()

    async def test_who_hangs_up_is_gone(self) -> None:
        async def unasked(hello: Hello) -> None:
            raise AssertionError

        ours, theirs = socket.socketpair()
        theirs.close()
        with pytest.raises(ConnectionError):
            await greet(*await _streams(ours), unasked)
