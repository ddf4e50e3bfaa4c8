"""What an operator may say of mail and webhooks, and what does not go together."""

from ipaddress import ip_network
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from skerry.notices.options import notice_options, take_notices
from skerry.notices.settings import MailSettings, NoticeSettings


def given(*arguments: str, **env: str) -> NoticeSettings | str:
    """The settings, or what is said against them."""
    found: list[NoticeSettings] = []

    @click.command()
    @notice_options
    def up(**options: object) -> None:
        found.append(take_notices(options))

    done = CliRunner().invoke(up, arguments, env=env)
    return found[0] if done.exit_code == 0 else done.output


MAIL = ("--smtp", "mail.example:587", "--mail-from", "cloud@provider.example")


def test_nothing_is_no_mail() -> None:
    assert given() == NoticeSettings()


def test_by_variables_as_by_options(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    wanted = NoticeSettings(
        mail=MailSettings(
            host="mail.example", port=587, sender="cloud@provider.example", user="skerry",
            password_file=file,
        ),
        operator_email="ops@provider.example",
        allowed=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")),
    )  # fmt: skip
    assert wanted == given(
        *MAIL, "--smtp-user", "skerry", "--smtp-password-file", str(file), "--operator-email",
        "ops@provider.example", "--webhook-allow", "10.1.0.0/16", "--webhook-allow", "fd00::/8",
    )  # fmt: skip
    assert wanted == given(
        SKERRY_SMTP="mail.example:587",
        SKERRY_MAIL_FROM="cloud@provider.example",
        SKERRY_SMTP_USER="skerry",
        SKERRY_SMTP_PASSWORD_FILE=str(file),
        SKERRY_OPERATOR_EMAIL="ops@provider.example",
        SKERRY_WEBHOOK_ALLOW="10.1.0.0/16 fd00::/8",
    )


def test_tls_is_by_the_port_unless_said() -> None:
    for arguments, tls in (
        (("--smtp", "[::1]:465"), "implicit"),
        (("--smtp", "mail.example:25"), "starttls"),
        (("--smtp", "mail.example:25", "--smtp-tls", "none"), "none"),
    ):
        found = given(*arguments, "--mail-from", "a@b.example")
        assert isinstance(found, NoticeSettings)
        assert found.mail is not None
        assert found.mail.tls == tls


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--smtp", "mail.example"), "write HOST:PORT"),
        (("--smtp", "mail.example:587"), "--mail-from"),
        (("--mail-from", "a@b.example"), "--mail-from goes with --smtp"),
        ((*MAIL, "--smtp-user", "skerry"), "go together"),
        (
            (*MAIL, "--smtp-user", "s", "--smtp-password-file", __file__, "--smtp-tls", "none"),
            "not sent without TLS",
        ),
        ((*MAIL[:2], "--mail-from", "Cloud <a@b.example>"), "not an e-mail address"),
        (("--webhook-allow", "10.1.2.3/8"), "host bits set"),
    ],
)
def test_what_does_not_go_together_is_said(arguments: tuple[str, ...], said: str) -> None:
    output = given(*arguments)
    assert isinstance(output, str)
    assert said in " ".join(output.split())
