"""Who is told of what: alerts once and truly, topics to those who want them, floods in one mail."""

import uuid

import pytest

from skerry.kernel import alerts
from skerry.kernel.changes import WITNESSES
from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.notices.settings import NoticeSettings
from skerry.notices.specs import wants
from skerry.store import Database
from tests.notices.conftest import PostOffice, World


async def raised(db: Database, subject: str = "site north", tenant: str = "", **more: bool) -> None:
    async with db.transaction() as tx:
        await alerts.raise_alert(
            tx, subject=subject, reason="SiteUnreachable", message="Nothing is heard of it.",
            remedy="Look at its link.", tenant=tenant, **more,
        )  # fmt: skip


async def cleared(db: Database, subject: str = "site north") -> None:
    async with db.transaction() as tx:
        await alerts.clear(tx, subject)


def told(server: PostOffice) -> list[str]:
    return [f"{mail['to']}: {mail['subject']}" for mail in server.taken]


async def test_the_operator_is_told_of_an_alert_and_of_its_end(
    world: World, server: PostOffice
) -> None:
    settings = NoticeSettings(mail=server.settings().mail, operator_email="ops@provider.example")
    await raised(world.db)
    await world.work(settings, looks=3)
    assert told(server) == ["ops@provider.example: Alert: SiteUnreachable, site north"]
    assert "What to do: Look at its link." in str(server.taken[0].get_body(("plain",)))
    await cleared(world.db)
    await world.later(minutes=11)
    await world.work(settings, looks=2)
    assert told(server)[1:] == ["ops@provider.example: Over: SiteUnreachable, site north"]


async def test_an_alert_that_comes_and_goes_brings_few_mails_and_the_last_is_true(
    world: World, server: PostOffice
) -> None:
    settings = NoticeSettings(mail=server.settings().mail, operator_email="ops@provider.example")
    for _ in range(20):
        await raised(world.db)
        await world.work(settings)
        await cleared(world.db)
        await world.work(settings)
    await raised(world.db)
    assert len(told(server)) == 1
    await world.later(minutes=11)
    await world.work(settings)
    # They were told that it is open, and it is.
    assert len(told(server)) == 1
    await cleared(world.db)
    await world.work(settings)
    assert told(server)[1:] == ["ops@provider.example: Over: SiteUnreachable, site north"]


async def test_a_tenant_is_told_of_its_own_alerts_only(world: World, server: PostOffice) -> None:
    await raised(world.db, "a job", tenant="acme")
    await raised(world.db, "a disk")
    await raised(world.db, "a secret", quiet=True)
    await world.work(server.settings())
    assert told(server) == ["admin@acme.example: Alert: SiteUnreachable, a job"]
    assert len(await world.notices("operator")) == 2


async def test_many_alerts_at_once_are_one_notice(world: World) -> None:
    for number in range(30):
        await raised(world.db, f"job {number}", tenant="acme")
    await world.work(NoticeSettings())
    (notice,) = await world.notices()
    assert notice.spec["subject"] == "30 alerts raised"
    assert "SiteUnreachable: job 29" in notice.spec["text"]


async def test_raising_and_clearing_are_changes_that_the_audit_can_build_again(
    db: Database,
) -> None:
    await raised(db, tenant="acme")
    await cleared(db)
    await cleared(db)
    rows = await db.fetch("select verb, subject, tenant, body from change where kind = 'alert'")
    assert sorted(row["verb"] for row in rows) == ["clear", "raise"]
    assert {row["tenant"] for row in rows} == {"acme"}
    async with db.transaction() as tx:
        body = await WITNESSES["alert"](tx, rows[0]["subject"])
        assert await WITNESSES["alert"](tx, str(uuid.uuid4())) is None
    assert body is not None
    assert body["message"] == "Nothing is heard of it."


async def test_administrators_are_told_unless_the_tenant_says_otherwise(
    world: World, server: PostOffice
) -> None:
    await world.put("user", "bob", email="bob@acme.example")
    await world.post(subject="1")
    await world.put(
        "notice-preference", "money", topics=["invoice.*"], emails=["money@acme.example"]
    )
    await world.post(subject="2")
    await world.post(subject="3", topic="budget.warning")
    await world.put("notice-preference", "quiet", topics=["budget.*"])
    await world.work(server.settings())
    await world.post(subject="4", topic="budget.warning")
    await world.post(subject="5", to=("named@acme.example",))
    await world.work(server.settings())
    assert sorted(told(server)) == [
        "money@acme.example: 1", "money@acme.example: 2", "named@acme.example: 5",
    ]  # fmt: skip
    assert len(await world.notices()) == 5
    with pytest.raises(ValidationError):
        await world.put("notice-preference", "bad", emails=["a@b.example\nBcc: c@d.example"])


async def test_who_may_do_all_in_one_workspace_only_is_no_administrator(
    world: World, server: PostOffice
) -> None:
    await world.put("user", "bob", email="bob@acme.example")
    await world.put("user", "eve", email="eve@acme.example", disabled=True)
    for name, scope in (("bob", {"workspaces": ["one"]}), ("eve", {})):
        await world.put("role-assignment", name, roles=["seca.admin"], subs=[name], scopes=[scope])
    await world.post(subject="1")
    await world.work(server.settings())
    assert told(server) == ["admin@acme.example: 1"]


async def test_a_flood_is_told_in_one_mail(world: World, server: PostOffice) -> None:
    settings = NoticeSettings(mail=server.settings().mail, hourly=3)
    for number in range(10):
        await world.post(subject=f"Number {number}", topic="budget.warning")
    await world.post(subject="To you", to=("you@acme.example",))
    await world.work(settings, looks=2)
    assert [mail["subject"] for mail in server.taken] == [
        "Number 0", "Number 1", "Number 2", "To you",
    ]  # fmt: skip
    await world.later(minutes=61)
    await world.work(settings, looks=2)
    assert server.taken[4]["subject"] == "7 notices of the last hour"
    assert "Number 9" in str(server.taken[4].get_body(("plain",)))
    assert len(server.taken) == 5
    assert {notice.status["phase"] for notice in await world.notices()} == {"sent"}


async def test_an_address_that_mail_can_not_go_to_is_named_and_holds_up_nobody(
    world: World, server: PostOffice
) -> None:
    await world.put("user", "admin", email="ännchen@acme.example")
    settings = NoticeSettings(mail=server.settings().mail, hourly=1)
    for _ in range(3):
        await world.post(topic="budget.warning")
    await world.post(to=("you@acme.example",))
    await world.work(settings, looks=2)
    assert [mail["to"] for mail in server.taken] == ["you@acme.example"]
    failed = [notice.status["deliveries"][0] for notice in await world.notices()][:3]
    assert {delivery["phase"] for delivery in failed} == {"failed"}
    assert "is not an e-mail address" in failed[0]["problem"]
    await world.later(minutes=61)
    await world.work(settings)


async def test_what_was_told_is_forgotten_after_ninety_days_and_its_key_later(
    world: World, server: PostOffice
) -> None:
    server.rcpt = "550 nobody of that name"
    await world.post(subject="Refused")
    await world.work(server.settings())
    assert await world.alerts() == {"MailGivenUp"}
    server.rcpt = "250 OK"
    await world.post(subject="Old", dedupe="old")
    await world.work(server.settings())
    await world.later(days=89)
    await world.work(server.settings())
    assert len(await world.notices()) == 2
    await world.post(subject="Not on its way yet")
    await world.work(NoticeSettings())
    await world.later(days=2)
    server.rcpt = "451 come again"
    await world.post(subject="On its way")
    await world.work(server.settings())
    left = [notice.spec["subject"] for notice in await world.notices()]
    assert left == ["Not on its way yet", "On its way"]
    kept = await world.db.fetch("select target from notice_delivery order by began_at")
    assert len(kept) == 2
    assert await world.db.fetchval("select count(*) from notice_attempt") == 1
    assert await world.alerts() == set()
    assert not await world.post(subject="Old", dedupe="old")
    await world.later(days=310)
    await world.work(server.settings())
    assert await world.post(subject="Old", dedupe="old")


async def test_what_is_of_a_tenant_that_went_away_is_dropped(
    world: World, server: PostOffice
) -> None:
    await world.post()
    await world.work(NoticeSettings())
    tenant = await world.get("tenant", "acme", "")
    async with world.db.transaction() as tx:
        await world.resources.delete(tx, tenant, SYSTEM)
    await world.post(subject="Too late")
    await world.work(server.settings(), looks=2)
    assert server.taken == []
    assert await world.db.fetchval("select count(*) from notice_outbox") == 0


def test_patterns() -> None:
    assert wants([], "invoice.issued")
    assert wants(["*"], "invoice.issued")
    assert wants(["invoice.*"], "invoice.issued")
    assert wants(["budget.warning", "invoice.issued"], "invoice.issued")
    assert not wants(["invoice.*"], "invoices.issued")
    assert not wants(["invoice"], "invoice.issued")
