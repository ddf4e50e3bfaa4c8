"""Mail by SMTP: one connection for all that is due.

A server that can't be reached, or does not let us in, is no fault of any one mail: nothing is
counted as tried, and all of them wait until it answers. What the server refuses for good (5xx) is
not tried again; what it refuses for now (4xx) is, with growing pauses.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import aiosmtplib

from skerry.notices.outcome import Outcome
from skerry.notices.settings import MailSettings

SECONDS = 30.0
"""For each exchange with the server."""


class Away(Exception):
    """The mail server can't be asked. Its text says why, for a person."""


@asynccontextmanager
async def connected(settings: MailSettings) -> AsyncIterator[aiosmtplib.SMTP]:
    """A session with the mail server, encrypted and signed in as the settings say. Raises
    ``Away``."""
    password = await asyncio.to_thread(_password, settings)
    server = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        timeout=SECONDS,
        use_tls=settings.tls == "implicit",
        start_tls=settings.tls == "starttls",
        tls_context=_context(settings) if settings.tls != "none" else None,
        username=settings.user or None,
        password=password or None,
    )
    at = f"{settings.host}:{settings.port}"
    try:
        async with asyncio.timeout(2 * SECONDS):
            await server.connect()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Away(f"{at} does not take user and password: {_words(error)}") from None
    except ssl.SSLError as error:
        raise Away(f"{at} can't be trusted: {_words(error)}") from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # and with it TimeoutError
        raise Away(f"{at} can't be reached: {_words(error)}") from None
    try:
        yield server
    finally:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(SECONDS / 10):
                await server.quit()


def _password(settings: MailSettings) -> str:
    if settings.password_file is None:
        return ""
    try:
        return settings.password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Away(f"the password file can't be read: {_words(error)}") from None


def _context(settings: MailSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise Away(f"{settings.ca} can't be read: {_words(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def send(
    server: aiosmtplib.SMTP, settings: MailSettings, to: str, mail: EmailMessage
) -> Outcome:
    """Hand one mail over. Raises ``Away`` where the connection ends meanwhile."""
    try:
        async with asyncio.timeout(3 * SECONDS):
            _, said = await server.sendmail(settings.sender, [to], bytes(mail))
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        return _refused(first.code, first.message)
    except aiosmtplib.SMTPServerDisconnected as error:
        raise Away(f"the connection ended: {_words(error)}") from None
    except aiosmtplib.SMTPResponseException as error:
        return _refused(error.code, error.message)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Away(f"the connection ended: {_words(error)}") from None
    return Outcome(ok=True, code=250, said=f"taken: {said}"[:500])


def _refused(code: int, message: str) -> Outcome:
    return Outcome(
        ok=False, code=code, said=f"the mail server refused it: {code} {message}"[:500],
        final=code >= 500,
    )  # fmt: skip


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:400]
