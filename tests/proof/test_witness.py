"""One cloud witnesses another's log: by the protocol, over HTTP, and where either lies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from skerry.proof import receipts, verify, witness
from skerry.proof.asking import Asking
from skerry.proof.note import Signer, verifier_key
from skerry.proof.receipts import Section
from skerry.store import Database
from tests.proof.conftest import Cloud


@pytest.fixture
def other(tmp_path: Path) -> Signer:
    """The witness's key."""
    return Signer.open(tmp_path / "other" / "witness.key", "skerry/other/witness")


async def asked(cloud: Cloud, other: Signer, old: int, **but: object) -> str:
    """Send the newest checkpoint to the witness as a log would; what is in ``but`` differs."""
    newest = await cloud.log.checkpoint()
    path = but.get("path")
    if path is None:
        path = await cloud.log.consistency(old, newest.size) if 0 < old < newest.size else []
    note = but.get("note", newest.note)
    body = witness.request(old, path, note)
    known = {cloud.signer.name: cloud.signer.key}
    return await witness.add(cloud.db, other, known, but.get("body", body))


async def refused(cloud: Cloud, other: Signer, old: int, **but: object) -> tuple[int, str]:
    with pytest.raises(witness.Refusal) as refusal:
        await asked(cloud, other, old, **but)
    return refusal.value.status, str(refusal.value)


async def test_it_cosigns_what_grows(cloud: Cloud, other: Signer) -> None:
    await cloud.published(3)
    for old, more in ((0, 5), (3, 300), (8, 1)):
        newest = await cloud.log.checkpoint()
        line = await asked(cloud, other, old)
        at = verify.cosigned(newest.note + line, other.cosigner, "here")
        assert abs(at - newest.at.timestamp()) < 3600
        # Again, as after an answer that was lost.
        assert await asked(cloud, other, newest.size)
        await cloud.published(more)


async def test_it_refuses_by_the_protocol(cloud: Cloud, other: Signer, tmp_path: Path) -> None:
    await cloud.published(4)
    assert (await refused(cloud, other, 2))[0] == HTTPStatus.CONFLICT
    await asked(cloud, other, 0)
    await cloud.published(4)
    assert await refused(cloud, other, 0) == (409, "4\n")
    assert (await refused(cloud, other, 9))[0] == 400
    assert (await refused(cloud, other, 4, path=[bytes(32)]))[0] == 422
    assert (await refused(cloud, other, 4, path=[]))[0] == 422
    stranger = Signer.open(tmp_path / "stranger.key", "skerry/stranger")
    newest = await cloud.log.checkpoint()
    text = newest.note.partition("\n\n")[0] + "\n"
    assert (await refused(cloud, other, 4, note=stranger.sign("skerry/stranger\n1\nx\n")))[0] == 404
    assert (await refused(cloud, other, 4, note=stranger.sign(text)))[0] == 403
    for body in (b"", b"old 04\n\n", b"old 4\nAAAA\n\nx", b"old 4\n" + b"x\n" * 99, b"\xff"):
        status, said = await refused(cloud, other, 4, body=body)
        assert (status, said) == (400, "this is not: old size, proof, empty line, checkpoint\n")
    assert await asked(cloud, other, 4)


async def test_another_history_is_not_cosigned(cloud: Cloud, other: Signer) -> None:
    await cloud.published(4)
    await asked(cloud, other, 0)
    newest = await cloud.log.checkpoint()
    lines = newest.note.split("\n")
    fork = cloud.signer.sign(f"{lines[0]}\n4\n{'A' * 43}=\n")
    assert await refused(cloud, other, 4, note=fork) == (
        409, "another tree of this size was cosigned\n",
    )  # fmt: skip
    fork = cloud.signer.sign(f"{lines[0]}\n7\n{'A' * 43}=\n")
    assert (await refused(cloud, other, 4, note=fork, path=[bytes(32)] * 3))[0] == 422


async def test_of_two_at_once_none_goes_back(cloud: Cloud, other: Signer) -> None:
    await cloud.published(4)
    await asked(cloud, other, 0)
    notes = []
    for _ in range(4):
        await cloud.published(3)
        notes.append(await cloud.log.checkpoint())
    paths = [await cloud.log.consistency(4, note.size) for note in notes]
    tries = [
        asked(cloud, other, 4, path=path, note=note.note)
        for note, path in zip(notes, paths, strict=True)
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert all(isinstance(a, str) or a.status == HTTPStatus.CONFLICT for a in answers)


class Neighbour:
    """The witness behind a real socket; what it answers can be replaced."""

    def __init__(self, db: Database, signer: Signer, known: dict[str, verify.Key]) -> None:
        self.db, self.signer, self.known = db, signer, known
        self.instead: Response | None = None
        self.url = ""

    async def answer(self, request: Request) -> Response:
        if self.instead is not None:
            return self.instead
        try:
            body = await request.body()
            return PlainTextResponse(await witness.add(self.db, self.signer, self.known, body))
        except witness.Refusal as refusal:
            return Response(str(refusal), refusal.status, {"content-type": refusal.media})


@pytest.fixture
async def neighbour(cloud: Cloud, other: Signer) -> AsyncIterator[Neighbour]:
    made = Neighbour(cloud.db, other, {cloud.signer.name: cloud.signer.key})
    app = Starlette(routes=[Route("/w/add-checkpoint", made.answer, methods=["POST"])])
    web = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(web.serve())
    while not web.started:
        await asyncio.sleep(0.01)
    made.url = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/w"
    await named(cloud.db, made.url, verifier_key(other.cosigner))
    yield made
    web.should_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def named(db: Database, url: str, key: str) -> None:
    """The witness as the operator puts it; hooks and routes are tested with all kinds."""
    await db.execute(
        "insert into resource (uid, kind, ref, name, tenant, workspace, region, parent_ref,"
        " root_uid, created_by, labels, annotations, extensions, spec, spec_version, status, state,"
        " conditions, version, generation, created_at, modified_at)"
        " select u, 'witness', 'w', 'neighbour', '', '', '', '', u, 'me', '{}', '{}', '{}', $1,"
        " 'v1', '{}', 'active', '[]', 1, 1, now(), now() from gen_random_uuid() u",
        {"endpoint": url, "key": key},
    )


async def alerts(db: Database) -> list[tuple[str, str]]:
    rows = await db.fetch("select reason, message from alert where cleared_at is null")
    return [tuple(row) for row in rows]


async def test_receipts_carry_the_witness(cloud: Cloud, neighbour: Neighbour) -> None:
    (id,) = await cloud.published(1)
    asking = Asking(cloud.db, cloud.log)
    await asking.once()
    seen = await cloud.log.witnessed()
    assert verify.cosigned(seen.note, neighbour.signer.cosigner, "here")
    await cloud.published(20)  # not cosigned yet
    sections = [Section("one", "declared", [id])]
    made = await receipts.build(cloud.db, cloud.log, title="t", subject="s", sections=sections)
    keys = verify.Key.parse(cloud.signer.vkey), [neighbour.signer.cosigner]
    data = msgspec.json.encode(made)
    assert any(
        "witnessed by skerry/other/witness at 20" in line for line in verify.verify(data, *keys)
    )
    with pytest.raises(verify.Failed, match="is not cosigned by the witness 'skerry/else'"):
        verify.verify(data, keys[0], [verify.Key("skerry/else", bytes(32), verify.COSIGNATURE)])
    await asking.once()
    await asking.once()
    assert (await cloud.log.witnessed()).size == 21
    assert await cloud.db.fetchval("select count(*) from cosignature") == 2
    assert await alerts(cloud.db) == []


async def test_a_witness_that_forgot_is_told_from_the_beginning(
    cloud: Cloud, neighbour: Neighbour
) -> None:
    await cloud.published(5)
    asking = Asking(cloud.db, cloud.log)
    await asking.once()
    await cloud.db.execute("delete from witnessed")
    await cloud.published(5)
    await asking.once()
    assert await cloud.db.fetchval("select size from witnessed") == 10


@pytest.mark.parametrize(
    ("instead", "reason", "told"),
    [
        (PlainTextResponse("gone fishing", 503), "not-cosigned", "answered 503: gone fishing"),
        (PlainTextResponse("— x AAAA\n"), "not-cosigned", "answered what is no cosignature"),
        (PlainTextResponse("x" * 99_999), "not-cosigned", "answered more than"),
        (PlainTextResponse("no", 422), "another-history", "has seen another history: no"),
        (
            Response("9\n", 409, {"content-type": witness.SIZE}),
            "another-history",
            "neighbour has cosigned 9 changes, this cloud has 1",
        ),
    ],
)
async def test_what_it_answers_wrongly_is_an_alert_until_it_is_right(
    cloud: Cloud, neighbour: Neighbour, instead: Response, reason: str, told: str
) -> None:
    await cloud.published(1)
    asking = Asking(cloud.db, cloud.log)
    neighbour.instead = instead
    await asking.once()
    ((found, message),) = await alerts(cloud.db)
    assert (found, told in message) == (reason, True), message
    neighbour.instead = None
    await asking.once()
    assert await alerts(cloud.db) == []


async def test_one_that_is_away_holds_nothing_up(cloud: Cloud, other: Signer) -> None:
    await cloud.published(1)
    await named(cloud.db, "http://127.0.0.1:1", verifier_key(other.cosigner))
    await Asking(cloud.db, cloud.log).once()
    ((reason, message),) = await alerts(cloud.db)
    assert reason == "not-cosigned"
    assert "http://127.0.0.1:1 can't be reached" in message
    assert (await cloud.log.witnessed()).size == 1


async def test_it_follows_by_itself(cloud: Cloud, neighbour: Neighbour) -> None:
    asking = asyncio.create_task(Asking(cloud.db, cloud.log).run(0.05))
    try:
        for size in (1, 2):
            await cloud.published(1)
            async with asyncio.timeout(30):
                while await cloud.db.fetchval("select max(size) from cosignature") != size:
                    await asyncio.sleep(0.02)
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking


def test_a_log_key_is_no_witness_key(cloud: Cloud, other: Signer) -> None:
    with pytest.raises(verify.Unreadable, match="is not a witness's"):
        verify.Key.parse(cloud.signer.vkey, verify.COSIGNATURE)
    with pytest.raises(verify.Unreadable, match="is not an operator's"):
        verify.Key.parse(verifier_key(other.cosigner))
