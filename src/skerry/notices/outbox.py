"""The outbox: what is to be told, committed together with what it tells of."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.errors import ValidationError
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.kernel.sealing import Sealer
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.notices")

TOPIC = r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+"
MOST_ADDRESSES = 50
LONGEST_SUBJECT = 200
LONGEST_TEXT = 65_536
_TOPIC = re.compile(TOPIC)
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_LONGEST_ADDRESS = 254


async def post(
    tx: Tx,
    *,
    topic: str,
    subject: str,
    text: str,
    tenant: str = "",
    to: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    dedupe: str = "",
    once: str = "",
    sealer: Sealer | None = None,
    webhook: uuid.UUID | None = None,
) -> bool:
    """Tell of something, if this transaction commits. False: it was told under ``dedupe`` before
    (in the last 400 days: ``sweeping.KEYS_KEPT``).

    ``topic`` is what people choose by, such as ``invoice.issued``. ``tenant`` is whom it concerns;
    empty is the operator of the cloud. ``to`` are e-mail addresses; without any it goes to whom the
    tenant's preferences name. Webhooks of the tenant that want the topic get it as well, ``facts``
    and all. ``subject`` is one line, ``text`` plain paragraphs.

    ``once`` is a link that works once. It stands in the mail and nowhere else: neither what is
    listed nor a webhook has it, and until the mail is gone it is sealed with ``sealer``.

    Raises ``ValidationError`` for what is no address, ValueError for what is no topic.
    """
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"{topic!r} is no topic such as invoice.issued")
    if once and sealer is None:
        raise ValueError("a one-time link needs a sealer")
    addresses = [address_of(one) for one in dict.fromkeys(to)]
    if len(addresses) > MOST_ADDRESSES:
        raise ValidationError(f"{len(addresses)} addresses; a notice has {MOST_ADDRESSES} at most")
    if dedupe and not await tx.fetchval(_sql.take_key, dedupe):
        return False
    id, tenant = uuid.uuid4(), tenant or OPERATOR_TENANT
    sealed = None
    if sealer is not None and once:
        sealed = await sealer.wrap(tx, tenant, about_once(id), once.encode())
    line, body = one_line(subject), text.replace("\x00", "")[:LONGEST_TEXT]
    await tx.execute(
        _sql.post, id, topic, tenant, addresses, webhook, line, body, dict(facts or {}), sealed
    )
    return True


async def mail_configured(tx: Tx) -> bool:
    """Whether this cloud sends mail: whether what is posted ``to`` somebody leaves it."""
    return bool(await tx.fetchval(_sql.mail))


def address_of(text: str) -> str:
    """An e-mail address that can stand in a header and an envelope as it is.

    Raises ``ValidationError`` for anything else, such as one with a line break in it.
    """
    if not is_address(text):
        raise ValidationError(
            f"{text[:80]!r} is not an e-mail address",
            hint="Write it as name@example.org, without a name before it.",
        )
    return text


def is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def one_line(text: str) -> str:
    """What can stand in a header: control characters become blanks, and the rest is cut."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 1] + "…"


def about_once(id: uuid.UUID) -> str:
    """What the sealed link of a notice is bound to."""
    return f"notice/{id}"
