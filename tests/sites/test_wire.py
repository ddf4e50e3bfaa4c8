"""The connection between agent and server: calls, streams, flow control, faults."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.sites import wire
from skerry.sites.contract import CursorExpired, NoRoom, Refused, SiteUnreachable, StaleFence
from skerry.sites.wire import Channel, Handler, Peer, PeerFault, write_frame

PATIENCE = 30


async def _streams(end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(sock=end)


@asynccontextmanager
async def connected(
    silence: float = wire.SILENCE, **handlers: Handler
) -> AsyncIterator[tuple[Peer, Peer]]:
    """A caller, and a peer that answers with ``handlers``."""
    ours, theirs = socket.socketpair()
    caller = Peer(*await _streams(ours), {}, opened=False, silence=silence)
    answerer = Peer(*await _streams(theirs), handlers, opened=True, silence=silence)
    async with asyncio.timeout(PATIENCE):
        runs = [asyncio.create_task(peer.run()) for peer in (caller, answerer)]
        try:
            yield caller, answerer
        finally:
            caller.hang_up()
            await asyncio.gather(*runs)


async def echo(channel: Channel, args: bytes) -> bytes:
    return args


async def count(channel: Channel, args: bytes) -> bytes:
    """Send that many items of 1000 bytes, for ever if negative."""
    wanted, sent = msgspec.msgpack.decode(args), 0
    while sent != wanted:
        await channel.send(b"%01000d" % sent)
        sent += 1
    await channel.finish()
    return b"done"


async def gather(channel: Channel, args: bytes) -> bytes:
    """All items in one."""
    parts = []
    while (item := await channel.receive()) is not None:
        parts.append(item)
    return b"".join(parts)


def raising(error: Exception) -> Handler:
    async def fail(channel: Channel, args: bytes) -> bytes:
        raise error

    return fail


async def _never(channel: Channel, args: bytes) -> bytes:
    await asyncio.Event().wait()
    return b""


async def send_for_ever(call: Channel) -> None:
    while True:
        await call.send(bytes(100_000))


async def receive_for_ever(call: Channel) -> None:
    while True:
        await call.receive()


class TestCalls:
    @given(args=st.binary(max_size=5000))
    def test_bytes_come_back_as_they_went(self, args: bytes) -> None:
        async def check() -> None:
            async with connected(echo=echo) as (caller, _):
                assert await caller.open("echo", args).result() == args

        asyncio.run(check())

    async def test_many_at_once_do_not_mix(self) -> None:
        async with connected(echo=echo) as (caller, _):
            calls = [caller.open("echo", b"%d" % n) for n in range(500)]
            answers = await asyncio.gather(*(call.result() for call in calls))
            assert answers == [b"%d" % n for n in range(500)]

    async def test_either_end_may_call(self) -> None:
        ours, theirs = socket.socketpair()
        peers = [
            Peer(*await _streams(end), {"echo": echo}, opened=opened)
            for end, opened in ((ours, True), (theirs, False))
        ]
        runs = [asyncio.create_task(peer.run()) for peer in peers]
        both = [peer.open("echo", b"x").result() for peer in peers for _ in range(10)]
        assert await asyncio.gather(*both) == [b"x"] * 20
        peers[0].hang_up()
        await asyncio.gather(*runs)

    @pytest.mark.parametrize(
        "error",
        [
            Refused("Odd", "it is odd"),
            NoRoom("NoRoom", "it is full"),
            StaleFence("StaleFence", "too late"),
            CursorExpired("too old"),
            SiteUnreachable("beyond"),
        ],
    )
    async def test_a_refusal_arrives_as_itself(self, error: Exception) -> None:
        async with connected(fail=raising(error)) as (caller, _):
            with pytest.raises(type(error)) as raised:
                await caller.open("fail", b"").result()
            assert str(raised.value) == str(error)
            assert getattr(raised.value, "reason", "") == getattr(error, "reason", "")

    async def test_a_fault_is_told_and_is_no_refusal(self) -> None:
        async with connected(fail=raising(KeyError("what"))) as (caller, _):
            with pytest.raises(PeerFault, match="KeyError: 'what'"):
                await caller.open("fail", b"").result()

    async def test_an_unknown_method(self) -> None:
        async with connected() as (caller, _):
            with pytest.raises(Refused, match="no method 'fly'"):
                await caller.open("fly", b"").result()

    async def test_an_answer_too_long_fails_the_call_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wire, "MAX_FRAME", 10_000)

        async def long(channel: Channel, args: bytes) -> bytes:
            return bytes(20_000)

        async with connected(long=long, echo=echo) as (caller, _):
            with pytest.raises(PeerFault):
                await caller.open("long", b"").result()
            assert await caller.open("echo", b"ok").result() == b"ok"

    async def test_too_many_at_once_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wire, "MAX_CALLS", 3)
        async with connected(never=_never) as (caller, _):
            for _ in range(3):
                caller.open("never", b"")
            with pytest.raises(Refused) as refused:
                await caller.open("never", b"").result()
            assert refused.value.reason == "Busy"


class TestStreams:
    async def test_items_come_in_order_and_end(self) -> None:
        async with connected(count=count) as (caller, _):
            call = caller.open("count", msgspec.msgpack.encode(5000))
            seen = 0
            while (item := await call.receive()) is not None:
                assert item == b"%01000d" % seen
                seen += 1
            assert seen == 5000
            assert await call.result() == b"done"

    async def test_upwards_too(self) -> None:
        async with connected(gather=gather) as (caller, _):
            call = caller.open("gather", b"")
            sent = [os.urandom(n * 1000) for n in range(150)]
            for item in sent:
                await call.send(item)
            await call.finish()
            assert await call.result() == b"".join(sent)

    async def test_a_slow_reader_holds_up_nobody_else(self) -> None:
        async with connected(count=count, echo=echo) as (caller, _):
            slow = caller.open("count", msgspec.msgpack.encode(-1))
            assert await slow.receive() is not None
            quick = caller.open("count", msgspec.msgpack.encode(3000))
            while await quick.receive() is not None:
                pass
            assert await caller.open("echo", b"x").result() == b"x"
            waiting = sum(len(item) + wire.ITEM_COST for item in slow._inbox)
            assert waiting <= wire.WINDOW + wire.MAX_ITEM

    async def test_empty_items_are_bounded_too(self) -> None:
        async def flood(channel: Channel, args: bytes) -> bytes:
            while True:
                await channel.send(b"")

        async with connected(flood=flood, echo=echo) as (caller, _):
            call = caller.open("flood", b"")
            assert await call.receive() == b""
            for _ in range(50):
                await caller.open("echo", b"").result()
            assert len(call._inbox) <= wire.WINDOW // wire.ITEM_COST + 1

    async def test_a_sender_is_told_that_nobody_wants_it(self) -> None:
        refusal = Refused("Enough", "no more of this, please")
        async with connected(fail=raising(refusal)) as (caller, _):
            call = caller.open("fail", b"")
            with pytest.raises(Refused) as refused:
                await send_for_ever(call)
            assert refused.value.reason == "Enough"

    async def test_items_before_a_failure_are_still_read(self) -> None:
        async def some(channel: Channel, args: bytes) -> bytes:
            await channel.send(b"one")
            raise CursorExpired("then not")

        async with connected(some=some) as (caller, _):
            call = caller.open("some", b"")
            assert await call.receive() == b"one"
            with pytest.raises(CursorExpired):
                await call.receive()

    async def test_an_item_too_long_is_the_callers_mistake(self) -> None:
        async with connected(gather=gather) as (caller, _):
            call = caller.open("gather", b"")
            with pytest.raises(ValueError, match="at most"):
                await call.send(bytes(wire.MAX_ITEM + 1))


class TestGivingUp:
    async def test_the_handler_is_cancelled(self) -> None:
        ended = asyncio.Event()

        async def wait(channel: Channel, args: bytes) -> bytes:
            try:
                await channel.send(b"began")
                return await _never(channel, args)
            finally:
                ended.set()

        async with connected(wait=wait, echo=echo) as (caller, answerer):
            call = caller.open("wait", b"")
            assert await call.receive() == b"began"
            call.close()
            await ended.wait()
            assert await caller.open("echo", b"still here").result() == b"still here"
            assert answerer._tasks == {}
            assert answerer._channels == {}

    async def test_an_end_of_the_connection_fails_all_calls(self) -> None:
        async with connected(never=_never, count=count) as (caller, answerer):
            waiting = caller.open("never", b"")
            reading = caller.open("count", msgspec.msgpack.encode(-1))
            assert await reading.receive() is not None
            answerer.hang_up()
            with pytest.raises(SiteUnreachable):
                await waiting.result()
            with pytest.raises(SiteUnreachable):
                await receive_for_ever(reading)
            with pytest.raises(SiteUnreachable):
                caller.open("never", b"")

    async def test_silence_ends_it(self) -> None:
        """The other end holds the connection open and says nothing."""
        ours, theirs = socket.socketpair()
        with theirs:
            caller = Peer(*await _streams(ours), {}, opened=False, silence=0.2)
            async with asyncio.timeout(PATIENCE):
                run = asyncio.create_task(caller.run())
                with pytest.raises(SiteUnreachable):
                    await caller.open("never", b"").result()
                await run

    async def test_pings_keep_it(self) -> None:
        async with connected(silence=0.5, echo=echo) as (caller, _):
            await asyncio.sleep(1.2)
            assert await caller.open("echo", b"x").result() == b"x"


def _head(length: int, kind: int, call: int) -> bytes:
    return struct.pack(">IBQ", length, kind, call)


class TestFaults:
    """What a broken or hostile peer may send ends its connection, and nothing else."""

    @pytest.mark.parametrize(
        "sent",
        [
            b"\xff" * 100,
            _head(wire.MAX_FRAME + 1, wire.CALL, 1),
            _head(1, wire.CALL, 1) + b"\xc1",
            _head(0, 99, 1),
            _head(5, wire.CALL, 2) + msgspec.msgpack.encode(("x", b"")),
            b"GET / HTTP/1.1\r\n\r\n",
        ],
    )
    async def test_nonsense_ends_the_connection(self, sent: bytes) -> None:
        ours, theirs = socket.socketpair()
        peer = Peer(*await _streams(ours), {"echo": echo}, opened=False)
        async with asyncio.timeout(PATIENCE):
            run = asyncio.create_task(peer.run())
            theirs.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(theirs, sent)
            theirs.shutdown(socket.SHUT_WR)
            assert await run
            theirs.close()

    async def test_sending_without_credit_ends_the_connection(self) -> None:
        ours, theirs = socket.socketpair()
        started = asyncio.Event()

        async def never_reads(channel: Channel, args: bytes) -> bytes:
            started.set()
            return await _never(channel, args)

        peer = Peer(*await _streams(ours), {"hold": never_reads}, opened=False)
        _, writer = await _streams(theirs)
        async with asyncio.timeout(PATIENCE):
            run = asyncio.create_task(peer.run())
            write_frame(writer, wire.CALL, 1, msgspec.msgpack.encode(("hold", b"")))
            await started.wait()
            for _ in range(10):
                write_frame(writer, wire.ITEM, 1, bytes(wire.MAX_ITEM))
            assert "without" in await run or "credit" in await run
            writer.close()

    async def test_frames_of_calls_long_over_are_ignored(self) -> None:
        async with connected(echo=echo) as (caller, answerer):
            for kind in (wire.ITEM, wire.END, wire.RESULT, wire.ERROR, wire.CREDIT, wire.CANCEL):
                answerer.post(kind, 12345, b"")
            assert await caller.open("echo", b"x").result() == b"x"
