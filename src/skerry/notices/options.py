"""The options of ``skerry up`` and ``skerry serve`` that are about being told."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from skerry.kernel.errors import ValidationError
from skerry.notices.outbox import address_of
from skerry.notices.settings import MailSettings, Network, NoticeSettings

F = TypeVar("F", bound=Callable[..., Any])
NAMES = (
    "smtp", "smtp_tls", "smtp_user", "smtp_password_file", "smtp_ca", "mail_from",
    "operator_email", "webhook_allow", "webhook_http",
)  # fmt: skip
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_IMPLICIT = 465


def _server(ctx: click.Context, param: click.Parameter, value: str) -> str:
    host, colon, port = value.rpartition(":")
    if value and not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise click.BadParameter("write HOST:PORT, such as mail.example.org:587")
    return value


def _address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        return address_of(value) if value else ""
    except ValidationError as problem:
        raise click.BadParameter(problem.detail) from None


def _networks(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one) for one in value)
    except ValueError as error:
        raise click.BadParameter(f"{error}: write a range such as 10.1.0.0/16") from None


_OPTIONS = (
    click.option(
        "--smtp",
        default="",
        metavar="HOST:PORT",
        callback=_server,
        envvar="SKERRY_SMTP",
        show_default="no mail is sent",
        help="The server that takes mail",
    ),
    click.option(
        "--smtp-tls",
        type=click.Choice(["starttls", "implicit", "none"]),
        envvar="SKERRY_SMTP_TLS",
        show_default="implicit at port 465, else starttls",
        help="How the way to it is encrypted; none takes no user",
    ),
    click.option("--smtp-user", default="", envvar="SKERRY_SMTP_USER", help="Who signs in there"),
    click.option(
        "--smtp-password-file",
        type=_file,
        envvar="SKERRY_SMTP_PASSWORD_FILE",
        help="Their password, read anew for each connection",
    ),
    click.option(
        "--smtp-ca", type=_file, envvar="SKERRY_SMTP_CA", help="Whom to trust as it, in PEM"
    ),
    click.option(
        "--mail-from",
        default="",
        metavar="ADDRESS",
        callback=_address,
        envvar="SKERRY_MAIL_FROM",
        help="Whom mails are from; needed with --smtp",
    ),
    click.option(
        "--operator-email",
        default="",
        metavar="ADDRESS",
        callback=_address,
        envvar="SKERRY_OPERATOR_EMAIL",
        help="Who is told of alerts, beside users of the tenant operator",
    ),
    click.option(
        "--webhook-allow",
        multiple=True,
        metavar="NETWORK",
        callback=_networks,
        envvar="SKERRY_WEBHOOK_ALLOW",
        help="A range, private or not, that webhooks may lead to; may be repeated",
    ),
    click.option(
        "--webhook-http",
        is_flag=True,
        envvar="SKERRY_WEBHOOK_HTTP",
        help="Let webhooks do without TLS",
    ),
)


def notice_options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_notices(given: dict[str, Any]) -> NoticeSettings:
    """Take these options out of a command's. Raises ``click.UsageError`` for what does not go
    together."""
    own = {name: given.pop(name) for name in NAMES}
    return NoticeSettings(
        mail=_mail(own),
        operator_email=own["operator_email"],
        allowed=own["webhook_allow"],
        plain_http=own["webhook_http"],
    )


def _mail(own: dict[str, Any]) -> MailSettings | None:
    if not own["smtp"]:
        beside = [name for name in NAMES[1:6] if own[name]]
        if beside:
            raise click.UsageError(f"--{beside[0].replace('_', '-')} goes with --smtp")
        return None
    if not own["mail_from"]:
        raise click.UsageError("--smtp needs --mail-from: whom are mails from?")
    host, _, port = own["smtp"].rpartition(":")
    tls: Any = own["smtp_tls"] or ("implicit" if int(port) == _IMPLICIT else "starttls")
    if bool(own["smtp_user"]) != bool(own["smtp_password_file"]):
        raise click.UsageError("--smtp-user and --smtp-password-file go together")
    if tls == "none" and own["smtp_user"]:
        raise click.UsageError("a password is not sent without TLS: --smtp-tls starttls")
    return MailSettings(
        host=host.strip("[]"),
        port=int(port),
        sender=own["mail_from"],
        tls=tls,
        user=own["smtp_user"],
        password_file=own["smtp_password_file"],
        ca=own["smtp_ca"],
    )
