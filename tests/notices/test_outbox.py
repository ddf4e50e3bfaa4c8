"""What is posted is there if its transaction commits, once, and can stand in a header."""

import pytest

from skerry import notices
from skerry.kernel.errors import ValidationError
from skerry.notices.outbox import LONGEST_SUBJECT, address_of, one_line
from skerry.store import Database

INVOICE = {"topic": "invoice.issued", "tenant": "acme", "subject": "Invoice", "text": "Yours."}


async def rows(db: Database) -> list[dict]:
    return [dict(row) for row in await db.fetch("select * from notice_outbox order by at")]


async def test_a_notice_shares_the_fate_of_its_cause(db: Database) -> None:
    async def fails() -> None:
        async with db.transaction() as tx:
            await notices.post(tx, **INVOICE, dedupe="one")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await rows(db) == []
    async with db.transaction() as tx:
        assert await notices.post(tx, **INVOICE, to=("a@b.example",), dedupe="one", facts={"n": 1})
    (row,) = await rows(db)
    assert (row["topic"], row["tenant"], row["addresses"]) == (
        "invoice.issued", "acme", ["a@b.example"],
    )  # fmt: skip
    assert row["facts"] == {"n": 1}


async def test_nobody_is_told_twice_under_one_key(db: Database) -> None:
    async with db.transaction() as tx:
        assert await notices.post(tx, **INVOICE, dedupe="one")
        assert not await notices.post(tx, **INVOICE, dedupe="one")
    async with db.transaction() as tx:
        assert not await notices.post(tx, **INVOICE, dedupe="one")
        assert await notices.post(tx, **INVOICE, dedupe="two")
        assert await notices.post(tx, **INVOICE)
    assert len(await rows(db)) == 3


@pytest.mark.parametrize(
    "address",
    [
        "", "nobody", "a@b\r\nBcc: c@d.example", "a b@c.example", "a@b.example ", "A <a@b.example>",
        "a@b.example,c@d.example", "a@-b.example", "a@b..example", "x" * 300 + "@b.example",
        "a\x00@b.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="not an e-mail address"):
        address_of(address)


async def test_what_can_not_be_told_is_refused(db: Database) -> None:
    async with db.transaction() as tx:
        with pytest.raises(ValidationError, match="not an e-mail address"):
            await notices.post(tx, **INVOICE, to=("a@b\r\nBcc: c@d.example",))
        with pytest.raises(ValidationError, match="51 addresses"):
            await notices.post(tx, **INVOICE, to=[f"a{n}@b.example" for n in range(51)])
        with pytest.raises(ValueError, match="no topic"):
            await notices.post(tx, **{**INVOICE, "topic": "Invoice issued"})
        with pytest.raises(ValueError, match="sealer"):
            await notices.post(tx, **INVOICE, once="https://c.example/once")
    assert await rows(db) == []


def test_a_subject_is_one_line() -> None:
    assert one_line("Hello\r\nBcc: all@example.org\x00\u2028!") == "Hello Bcc: all@example.org !"
    assert len(one_line("x" * 1000)) == LONGEST_SUBJECT


async def test_without_a_sorter_that_has_a_mail_server_no_mail_leaves(db: Database) -> None:
    async with db.transaction() as tx:
        assert not await notices.mail_configured(tx)
