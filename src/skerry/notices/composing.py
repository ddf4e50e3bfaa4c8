"""A notice as a mail: plain text, and the same in HTML, with the headers that a mail of a machine
has.

``Message-ID`` is made of the delivery's id, so that a mail that was sent twice (the server took it,
and we were killed before we had written that down) has one identity.
"""

import html
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from skerry.notices.outbox import address_of, one_line


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is to be written. ``once`` is a link that works once, or empty."""

    id: str
    at: datetime
    to: str
    topic: str
    subject: str
    text: str
    once: str = ""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who writes: an address, the operator's name, and where its cloud answers (or nothing)."""

    address: str
    operator: str
    url: str = ""


def compose(letter: Letter, sender: Sender) -> EmailMessage:
    """Raises ``ValidationError`` where the addressee is none that mail can go to."""
    mail = EmailMessage(policy=SMTP)
    user, _, domain = sender.address.rpartition("@")
    mail["From"] = Address(one_line(sender.operator), user, domain)
    mail["To"] = address_of(letter.to)
    mail["Subject"] = one_line(letter.subject)
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Skerry-Topic"] = letter.topic
    mail.set_content(_plain(letter, sender), cte="quoted-printable")
    mail.add_alternative(_page(letter, sender), subtype="html", cte="quoted-printable")
    return mail


def _plain(letter: Letter, sender: Sender) -> str:
    parts = [letter.text.strip()]
    if letter.once:
        parts.append(f"This link works once:\n{letter.once}")
    return "\n\n".join(parts) + f"\n\n-- \n{_footer(letter, sender)}\n"


def _footer(letter: Letter, sender: Sender) -> str:
    where = f", the cloud at {sender.url}" if sender.url else ""
    sent = f"Sent by {one_line(sender.operator)}{where}."
    if letter.once:  # to one person, for one purpose
        return f"{sent} If you did not expect it, let it be."
    return (
        f"{sent} Its topic is {letter.topic}. "
        "Who gets mail about what: skerry notice-preference list"
    )


_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{subject}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;color:#1c2026;\
font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif">
<div style="max-width:600px;margin:0 auto;padding:24px 28px;background:#fff;border-radius:8px">
<h1 style="margin:0 0 16px;font-size:19px;line-height:1.3">{subject}</h1>
{paragraphs}
</div>
<p style="max-width:600px;margin:16px auto 0;color:#6a7280;font-size:12px">{footer}</p>
</body></html>
"""
_BUTTON = (
    '<p style="margin:0 0 14px"><a href="{link}" style="display:inline-block;padding:10px 18px;'
    'background:#1f5fae;color:#fff;border-radius:6px;text-decoration:none">Open the link</a></p>\n'
    '<p style="margin:0 0 14px;color:#6a7280;font-size:13px">It works once. If the button does '
    'not, open this: <br><span style="word-break:break-all">{link}</span></p>'
)


def _page(letter: Letter, sender: Sender) -> str:
    paragraphs = [
        f'<p style="margin:0 0 14px">{html.escape(part.strip()).replace(chr(10), "<br>" + chr(10))}'
        "</p>"
        for part in letter.text.strip().split("\n\n")
        if part.strip()
    ]
    if letter.once:
        paragraphs.append(_BUTTON.format(link=html.escape(letter.once)))
    return _PAGE.format(
        subject=html.escape(one_line(letter.subject)),
        paragraphs="\n".join(paragraphs),
        footer=html.escape(_footer(letter, sender)),
    )
