"""Mails arrive at a real mail server, and survive its absence, its refusals and our own death."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from skerry import notices
from skerry.kernel.errors import Conflict
from skerry.notices import office, sorting
from skerry.notices.composing import Letter, Sender, compose
from skerry.notices.outcome import FIRST_PAUSE, LONGEST_PAUSE, pause
from skerry.notices.settings import NoticeSettings
from tests.notices.conftest import SENDER, PostOffice, World

LINK = "https://c.example/join?code=once-in-a-lifetime"


def text_of(mail: Any, sort: str = "plain") -> str:
    part = mail.get_body((sort,))
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_mail_says_what_was_posted(world: World, server: PostOffice) -> None:
    await world.post()
    await world.work(server.settings())
    (mail,) = server.taken
    assert server.envelopes == [(SENDER, ["admin@acme.example"])]
    assert (mail["to"], mail["subject"]) == ("admin@acme.example", "Your invoice 17")
    assert str(mail["from"]) == f"Skerry AB <{SENDER}>"
    assert (mail["auto-submitted"], mail["x-skerry-topic"]) == ("auto-generated", "invoice.issued")
    assert mail["message-id"].endswith("@provider.example>")
    assert mail["date"].datetime == (await world.one()).created_at.replace(microsecond=0)
    assert text_of(mail).startswith("It is due in 14 days.\n\nThank you.\n\n-- \n")
    assert "<p" in text_of(mail, "html")
    assert "It is due in 14 days." in text_of(mail, "html")
    notice = await world.one()
    assert notice.status["phase"] == "sent"
    await world.work(server.settings(), looks=2)
    assert len(server.taken) == 1


async def test_a_link_that_works_once_is_in_the_mail_and_nowhere_else(
    world: World, server: PostOffice
) -> None:
    await world.post(to=("new@acme.example",), once=LINK, sealer=world.resources.sealer)
    tables = ("notice_outbox", "notice_delivery", "resource", "change")
    for step in (lambda: world.work(NoticeSettings(mail=None)), None):
        for table in tables:
            (told,) = await world.db.fetchrow(f"select string_agg(t::text, '') from {table} t")
            assert "once-in-a-lifetime" not in (told or "")
        if step is None:
            break
        await world.work(server.settings())
    (mail,) = server.taken
    assert text_of(mail).count(LINK) == 1
    assert LINK.replace("&", "&amp;") in text_of(mail, "html")
    assert not await world.db.fetchval("select count(once) from notice_delivery")


async def test_a_link_that_works_once_is_there_when_its_mail_is_sent_again(
    world: World, server: PostOffice
) -> None:
    await world.post(to=("new@acme.example",), once=LINK, sealer=world.resources.sealer)
    await world.work(NoticeSettings())
    await world.work(server.settings())
    assert server.taken == []
    await world.act(await world.one(), "resend")
    server.rcpt = "550 not yet"
    await world.work(server.settings())
    await world.act(await world.one(), "resend")
    server.rcpt = "250 OK"
    await world.work(server.settings())
    (mail,) = server.taken
    assert LINK in text_of(mail)


async def test_a_server_that_breaks_off_counts_as_a_try(world: World, server: PostOffice) -> None:
    await world.post(subject="First")
    await world.post(subject="Second")
    server.data = "421 going down"
    await world.work(server.settings())
    server.data = "250 OK"
    await world.later(minutes=1)
    await world.work(server.settings())
    assert sorted(mail["subject"] for mail in server.taken) == ["First", "Second"]


async def test_an_office_goes_on_whatever_one_notice_does(
    world: World, server: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody thought of: it is written down, and the others are delivered."""

    def odd(letter: Any, sender: Any) -> Any:
        if letter.subject == "Odd":
            raise LookupError("nobody thought of this")
        return compose(letter, sender)

    monkeypatch.setattr(office, "compose", odd)
    await world.post(subject="Odd")
    await world.post(subject="Even")
    await world.work(server.settings())
    assert [mail["subject"] for mail in server.taken] == ["Even"]
    first = (await world.notices())[0].status["deliveries"][0]
    assert "nobody thought of this" in first["problem"]
    progress = sorting.progress
    monkeypatch.setattr(sorting, "progress", odd)
    await world.post(subject="Not sorted")
    await world.work(server.settings())
    assert await world.db.fetchval("select count(*) from notice_outbox") == 1
    monkeypatch.setattr(sorting, "progress", progress)
    await world.later(minutes=6)
    await world.work(server.settings())
    assert "Not sorted" in [mail["subject"] for mail in server.taken]


async def test_an_office_runs_until_it_is_cancelled(
    world: World, server: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "LOOK", 0.01)
    await world.post()
    task = asyncio.create_task(world.office(server.settings()).run())
    async with asyncio.timeout(30):
        while not server.taken:
            await asyncio.sleep(0.01)
    async with world.db.transaction() as tx:
        assert await notices.mail_configured(tx)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_mails_survive_that_the_server_is_away(world: World) -> None:
    server = PostOffice()
    async with server.open():
        settings = server.settings()
    for number in range(3):
        await world.post(subject=f"Number {number}")
    for _ in range(4):
        await world.work(settings)
        await world.later(hours=6)
    assert {notice.status["phase"] for notice in await world.notices()} == {"sending"}
    problems = [
        d["problem"]
        for n in await world.notices()
        for d in n.status["deliveries"]
        if "problem" in d
    ]
    assert "can't be reached" in problems[0]
    assert "MailServerAway" in await world.alerts()
    async with server.open():
        await world.work(settings, looks=2)
    assert sorted(mail["subject"] for mail in server.taken)[:3] == [
        "Number 0", "Number 1", "Number 2",
    ]  # fmt: skip
    assert {notice.status["phase"] for notice in await world.notices()} == {"sent"}
    assert "MailServerAway" not in await world.alerts()
    assert server.sessions == 1, "one connection for all of them"


async def test_after_three_days_it_is_given_up_and_can_be_sent_again(world: World) -> None:
    server = PostOffice()
    async with server.open():
        settings = server.settings()
    await world.post()
    await world.work(settings)
    await world.later(days=3, minutes=1)
    await world.work(settings)
    notice = (await world.notices())[0]
    assert notice.status["phase"] == "failed"
    assert "MailGivenUp" in await world.alerts()
    async with server.open():
        await world.act(notice, "resend")
        await world.work(settings)
    assert "Your invoice 17" in [mail["subject"] for mail in server.taken]
    assert (await world.get("notice", notice.name)).status["phase"] == "sent"
    assert "MailGivenUp" not in await world.alerts()
    with pytest.raises(Conflict, match="reached everybody"):
        await world.act(notice, "resend")


async def test_what_is_refused_for_good_is_not_tried_again(
    world: World, server: PostOffice
) -> None:
    server.rcpt = "550 no such user here"
    await world.post()
    await world.work(server.settings())
    (delivery,) = (await world.one()).status["deliveries"]
    assert delivery["phase"] == "failed"
    assert "550 no such user here" in delivery["problem"]
    rows = await world.db.fetch("select reason, remedy, quiet from alert")
    assert [(row["reason"], row["quiet"]) for row in rows] == [("MailGivenUp", True)]
    assert "skerry notice resend" in rows[0]["remedy"]


async def test_what_is_refused_for_now_is_tried_later(world: World, server: PostOffice) -> None:
    server.data = "451 come back later"
    await world.post()
    await world.work(server.settings(), looks=3)
    (delivery,) = (await world.one()).status["deliveries"]
    assert (delivery["phase"], delivery["tries"]) == ("waiting", 1)
    server.data = "250 OK"
    await world.later(minutes=1)
    await world.work(server.settings())
    assert len(server.taken) == 1
    attempts = await world.db.fetch("select * from notice_attempt order by number")
    assert [(row["ok"], row["code"]) for row in attempts] == [(False, 451), (True, 250)]


async def test_killed_after_sending_it_is_sent_again_under_the_same_id(
    world: World, server: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.post()
    office = world.office(server.settings())
    late: list[Any] = []

    async def killed(*given: Any) -> None:
        late.append(given)

    settle = office._settle
    monkeypatch.setattr(office, "_settle", killed)
    async with asyncio.TaskGroup() as group:
        await office.look(group)
    await world.work(server.settings())
    assert len(server.taken) == 1, "its lease is not over"
    await world.later(minutes=4)
    await world.work(server.settings())
    first, second = server.taken
    assert first["message-id"] == second["message-id"]
    # Who was thought dead comes back: what it says does not count.
    row, outcome, began = late[0]
    await settle(row, type(outcome)(ok=False, said="late", final=True), began)
    assert (await world.one()).status["phase"] == "sent"


async def test_without_a_mail_server_it_is_listed(world: World) -> None:
    await world.post()
    await world.work(NoticeSettings())
    notice = await world.one()
    assert notice.status == {
        "phase": "listed",
        "deliveries": [{"channel": "mail", "target": "admin@acme.example", "phase": "listed"}],
    }
    with pytest.raises(Conflict):
        await world.act(notice, "resend")


async def test_tls_and_a_password_that_it_protects(
    world: World, certified: Callable[..., Any], tmp_path: Any
) -> None:
    context, ca = certified("127.0.0.1")
    password = tmp_path / "password"
    password.write_text("wrong\n")
    server = PostOffice()
    async with server.open(context):
        settings = server.settings(tls="starttls", ca=ca, user="skerry", password_file=password)
        await world.post()
        await world.work(server.settings(tls="starttls"))
        assert "can't be" in (await world.one()).status["deliveries"][0]["problem"]
        await world.later(seconds=2)
        await world.work(settings)
        problem = (await world.one()).status["deliveries"][0]["problem"]
        assert "does not take user and password" in problem
        assert "wrong" not in problem
        await world.later(seconds=2)
        password.write_text("right\n")
        await world.work(settings)
    assert (server.encrypted, server.users[-1]) == ([True], "skerry")


async def test_a_server_without_tls_gets_nothing_that_asks_for_it(
    world: World, server: PostOffice
) -> None:
    await world.post()
    await world.work(server.settings(tls="starttls"))
    assert server.taken == []
    (delivery,) = (await world.one()).status["deliveries"]
    assert delivery["phase"] == "waiting"
    assert "STARTTLS" in delivery["problem"]


def letter(**more: Any) -> Letter:
    given = {
        "id": "x", "at": datetime(2026, 11, 1, tzinfo=UTC), "to": "a@b.example",
        "topic": "invoice.issued", "subject": "S", "text": "T",
    } | more  # fmt: skip
    return Letter(**given)


def test_nothing_that_was_sent_becomes_a_header_or_markup() -> None:
    sender = Sender(address=SENDER, operator="Åsa\r\nBcc: x@y.example", url="https://c.example")
    mail = compose(
        letter(subject="Hi\r\nBcc: v@w.example", text="<script>x</script>\n.\nend & all"), sender
    )
    raw = mail.as_bytes()
    assert mail["bcc"] is None
    assert b"\r\nBcc:" not in raw
    page = text_of(mail, "html")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<script>x</script>\n.\nend & all" in text_of(mail)
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


def test_pauses_grow_to_an_hour_and_are_never_the_same() -> None:
    assert 0.75 * FIRST_PAUSE <= pause(1).total_seconds() <= 1.25 * FIRST_PAUSE
    many = [pause(50).total_seconds() for _ in range(50)]
    assert all(0.75 * LONGEST_PAUSE <= one <= 1.25 * LONGEST_PAUSE for one in many)
    assert len(set(many)) > 1
