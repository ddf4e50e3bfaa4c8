"""Webhooks: signed so that others' libraries agree, and kept from leading where they must not."""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from skerry.kernel.errors import Conflict, TooManyRequests, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.notices import reaching
from skerry.notices.hooks import _check_url
from skerry.notices.reaching import Refused, deliver, judged
from skerry.notices.settings import NoticeSettings
from tests.notices.conftest import LOOPBACK, Receiver, World

ALLOWED = NoticeSettings(allowed=LOOPBACK, plain_http=True)


def verified(secret: str, request: tuple[dict[str, str], bytes]) -> Any:
    """What the specification's own library for receivers makes of a request."""
    headers, body = request
    return Webhook(secret).verify(body, headers)


async def test_a_notice_arrives_signed(world: World, receiver: Receiver) -> None:
    with pytest.raises(ValidationError):
        await world.put("webhook", "books", endpoint="ftp://a.example/")
    put = await world.put("webhook", "books", endpoint=receiver.url, topics=["invoice.*"])
    secret = put.once["secret"]
    await world.post(facts={"number": "2026-17", "total": "12.50"})
    await world.post(topic="budget.warning")
    await world.work(ALLOWED)
    (request,) = receiver.requests
    told = verified(secret, request)
    assert (told["type"], told["data"]["facts"]) == (
        "invoice.issued", {"number": "2026-17", "total": "12.50"},
    )  # fmt: skip
    assert request[0]["request"] == "POST /in?from=skerry HTTP/1.1"
    assert request[0]["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        verified(secret, (request[0], request[1].replace(b"12.50", b"99.50")))
    shown = await world.get("webhook", "books")
    assert secret not in json.dumps([shown.spec, shown.status])
    notice = (await world.notices())[0]
    sent = [d["phase"] for d in notice.status["deliveries"] if d["channel"] == "webhook"]
    assert sent == ["sent"]


async def test_each_try_has_the_same_id_and_body(world: World, receiver: Receiver) -> None:
    put = await world.put("webhook", "books", endpoint=receiver.url)
    receiver.answer = "500 Oops\r\n"
    await world.post()
    await world.work(ALLOWED)
    hook = await world.get("webhook", "books")
    assert (hook.status["phase"], hook.status["problem"]) == ("failing", "it answered 500")
    receiver.answer = "200 OK\r\n"
    await world.later(minutes=1)
    await world.work(ALLOWED, looks=2)
    first, second = receiver.requests
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[1] == second[1]
    assert verified(put.once["secret"], first)
    hook = await world.get("webhook", "books")
    assert hook.status == {"phase": "active"}
    rows = await world.db.fetch("select ok, code, said from notice_attempt order by number")
    assert [tuple(row) for row in rows] == [
        (False, 500, "it answered 500"), (True, 200, "taken with 200"),
    ]  # fmt: skip


async def test_a_new_secret_signs_at_once_and_the_old_one_for_a_day(
    world: World, receiver: Receiver
) -> None:
    put = await world.put("webhook", "books", endpoint=receiver.url)
    old = put.once["secret"]
    new = (await world.act(put.resource, "rotate"))["secret"]
    assert new != old
    await world.act(put.resource, "test")
    await world.work(ALLOWED)
    for secret in (old, new):
        assert verified(secret, receiver.requests[0])["type"] == "webhook.test"
    await world.later(days=1, seconds=1)
    await world.act(put.resource, "test")
    await world.work(ALLOWED)
    assert len(receiver.requests[1][0]["webhook-signature"].split()) == 1


async def test_what_fails_for_days_is_disabled_and_the_tenant_is_told(
    world: World, receiver: Receiver
) -> None:
    put = await world.put("webhook", "books", endpoint=receiver.url)
    receiver.answer = "503 Full\r\n"
    await world.post()
    await world.work(ALLOWED)
    await world.later(days=3, minutes=1)
    await world.post(subject="One more")
    await world.work(ALLOWED, looks=2)
    hook = await world.get("webhook", "books")
    assert hook.status["phase"] == "disabled"
    told = {notice.spec["topic"]: notice for notice in await world.notices()}
    assert "it answered 503" in told["webhook.disabled"].spec["text"]
    waiting = await world.db.fetchval(
        "select count(*) from notice_delivery where channel = 'webhook' and phase = 'waiting'"
    )
    assert waiting == 0
    with pytest.raises(Conflict, match="disabled"):
        await world.act(put.resource, "test")
    receiver.answer = "204 No Content\r\n"
    before = len(receiver.requests)
    await world.put("webhook", "books", endpoint=receiver.url)
    await world.act(await world.get("webhook", "books"), "test")
    await world.work(ALLOWED)
    assert len(receiver.requests) == before + 1


async def test_who_answers_that_it_is_gone_is_asked_no_more(
    world: World, receiver: Receiver
) -> None:
    await world.put("webhook", "books", endpoint=receiver.url)
    receiver.answer = "410 Gone\r\n"
    await world.post()
    await world.work(ALLOWED)
    assert (await world.get("webhook", "books")).status["phase"] == "disabled"


async def test_one_that_hangs_keeps_no_other_waiting(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.5)
    silent = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    await world.put("webhook", "silent", endpoint=f"http://127.0.0.1:{port}/")
    await world.put("webhook", "books", endpoint=receiver.url)
    await world.post()
    await world.post()
    await world.work(ALLOWED, looks=2)
    silent.close()
    assert len(receiver.requests) == 2
    assert "no answer in" in (await world.get("webhook", "silent")).status["problem"]


async def test_a_webhook_that_was_deleted_gets_nothing(world: World, receiver: Receiver) -> None:
    put = await world.put("webhook", "books", endpoint=receiver.url)
    receiver.answer = "500 Oops\r\n"
    await world.post()
    await world.work(ALLOWED)
    async with world.db.transaction() as tx:
        await world.resources.delete(tx, put.resource, SYSTEM)
    await world.later(minutes=1)
    await world.work(ALLOWED)
    assert len(receiver.requests) == 1
    assert (await world.one()).status["phase"] == "failed"


PRIVATE = [
    "10.0.0.1", "127.0.0.1", "127.255.0.9", "0.0.0.0", "169.254.169.254", "172.16.4.4",
    "192.168.1.1", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1%lo", "fc00::1", "fd00:ec2::254", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="--webhook-allow"):
        judged(address, NoticeSettings())


@pytest.mark.parametrize("address", ["8.8.8.8", "185.199.108.153", "2a00:1450:4001:81b::200e"])
def test_a_public_address_is_not(address: str) -> None:
    assert str(judged(address, NoticeSettings())) == address


def test_a_range_that_the_operator_allows_is_not_either() -> None:
    settings = NoticeSettings(allowed=(ipaddress.ip_network("10.1.0.0/16"),))
    assert str(judged("10.1.2.3", settings)) == "10.1.2.3"
    assert str(judged("::ffff:10.1.2.3", settings)) == "10.1.2.3"
    with pytest.raises(Refused):
        judged("10.2.0.1", settings)


@pytest.mark.parametrize(
    "host", ["localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_however_loopback_is_written_nothing_goes_there(
    host: str, receiver: Receiver
) -> None:
    url = f"http://{host}:{receiver.port}/"
    outcome = await deliver(url, {}, b"{}", NoticeSettings(plain_http=True))
    assert not outcome.ok
    assert receiver.requests == []


async def test_the_tenant_is_told_why_nothing_was_sent(world: World, receiver: Receiver) -> None:
    await world.put("webhook", "books", endpoint=receiver.url)
    await world.post()
    await world.work(NoticeSettings(plain_http=True))
    problem = (await world.get("webhook", "books")).status["problem"]
    assert "127.0.0.1 is no public address" in problem
    await world.later(minutes=1)
    await world.work(NoticeSettings(allowed=LOOPBACK))
    assert "only HTTPS" in (await world.get("webhook", "books")).status["problem"]
    assert receiver.requests == []


class Resolver:
    """A name server that its owner turns: each question has the next answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)

    def getaddrinfo(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host[0].isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in answer]


async def test_a_name_is_resolved_once_and_what_was_judged_is_what_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Allowed when it is judged; anything else, were it asked once more.
    resolver = Resolver(monkeypatch, ["127.0.0.1"], ["127.9.9.9"])
    url = f"http://turns.example:{receiver.port}/in"
    outcome = await deliver(url, {}, b"{}", ALLOWED)
    assert outcome.ok
    assert resolver.asked == 1
    assert receiver.requests[0][0]["host"] == f"turns.example:{receiver.port}"


async def test_one_bad_address_among_good_ones_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Resolver(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    outcome = await deliver("https://mixed.example/", {}, b"{}", NoticeSettings())
    assert "10.0.0.1 is no public address" in outcome.said


async def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answer = f"307 Elsewhere\r\nlocation: http://127.0.0.1:{receiver.port}/other\r\n"
    outcome = await deliver(receiver.url, {}, b"{}", ALLOWED)
    assert (outcome.ok, outcome.code) == (False, 307)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("named", "arrives"), [("hooks.example", True), ("other.example", False)])
async def test_over_https_it_must_be_who_the_url_names(
    named: str,
    arrives: bool,
    certified: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, ca = certified("hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    reaching.trust.cache_clear()
    receiver = Receiver()
    try:
        async with receiver.open(context):
            Resolver(monkeypatch, ["127.0.0.1"])
            settings = NoticeSettings(allowed=LOOPBACK)
            outcome = await deliver(f"https://{named}:{receiver.port}/", {}, b"{}", settings)
    finally:
        reaching.trust.cache_clear()
    assert outcome.ok is arrives, outcome.said


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x", "https://", "https://user:word@a.example/", "https://a b.example/",
        "https://ä.example/", "https://a.example:99999/", "//a.example/",
        "https://a.example/\r\nX: y",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        _check_url(url)


async def test_two_offices_at_once_send_it_once(world: World, receiver: Receiver) -> None:
    await world.put("webhook", "books", endpoint=receiver.url)
    for _ in range(5):
        await world.post()
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(world.work(ALLOWED, looks=6))
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 5
    assert len(receiver.requests) == 5
    assert len(await world.notices()) == 5


async def test_a_backlog_is_delivered_in_one_go_and_tests_are_not_without_end(
    world: World, receiver: Receiver
) -> None:
    put = await world.put("webhook", "books", endpoint=receiver.url, topics=["webhook.*"])
    for _ in range(5):
        await world.act(put.resource, "test")
    with pytest.raises(TooManyRequests):
        await world.act(put.resource, "test")
    await world.work(ALLOWED)
    assert len(receiver.requests) == 5
    await world.act(put.resource, "test")


async def test_webhooks_of_one_tenant_that_hang_leave_room_for_others(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.5)
    silent = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    for number in range(10):
        await world.put("webhook", f"silent-{number}", endpoint=f"http://127.0.0.1:{port}/")
    await world.put("webhook", "books", "operator", endpoint=receiver.url)
    await world.post()
    await world.post(tenant="operator")
    await world.work(ALLOWED)
    silent.close()
    assert len(receiver.requests) == 1
    tried = "select count(distinct delivery) from notice_attempt where not ok"
    assert await world.db.fetchval(tried) == 3


async def test_the_log_of_a_webhook_lists_its_tries(world: World, receiver: Receiver) -> None:
    from skerry.notices.views import attempts_of_webhook

    put = await world.put("webhook", "books", endpoint=receiver.url)
    await world.act(put.resource, "test")
    await world.work(ALLOWED)

    class Asked:
        db, resource = world.db, put.resource

    (item,) = (await attempts_of_webhook(Asked))["items"]  # type: ignore[arg-type]
    assert (item["outcome"], item["code"], item["topic"]) == ("delivered", 204, "webhook.test")
    assert item["milliseconds"] < timedelta(minutes=1).total_seconds() * 1000
