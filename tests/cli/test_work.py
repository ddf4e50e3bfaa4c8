"""The words in which people say what runs: each becomes a field of its spec."""

import click
import pytest

from skerry.cli.flags import gathered
from skerry.cli.work import options

ALL = ("millicores", "memory", "volumes", "secrets", "requirements", "health", "env", "network")


def spec(*words: str) -> dict[str, object]:
    command = click.Command("x", params=list(options(ALL)))
    with command.make_context("x", list(words)) as context:
        return gathered(context, context.params)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("--cpus", "0.5"), "millicores", 500),
        (("-m", "2GiB"), "memory", 2 << 30),
        (("--volume", "a:/a", "--volume", "b:/b:ro"), "volumes",
         [{"name": "a", "path": "/a"}, {"name": "b", "path": "/b", "readOnly": True}]),
        (("--secret", "db/password"), "secrets",
         [{"secret": "db", "key": "password", "env": "password"}]),
        (("--secret", "db/password=PGPASSWORD"), "secrets",
         [{"secret": "db", "key": "password", "env": "PGPASSWORD"}]),
        (("--secret", "tls/key=/run/key.pem"), "secrets",
         [{"secret": "tls", "key": "key", "path": "/run/key.pem"}]),
        (("--health", "/ready"), "health", {"path": "/ready"}),
        (("--health", ":81/ready"), "health", {"port": 81, "path": "/ready"}),
        (("--health", ":81"), "health", {"port": 81}),
        (("-e", "A=b=c", "-e", "B="), "env", {"A": "b=c", "B": ""}),
        (("--no-network",), "network", False),
    ],
)  # fmt: skip
def test_words(words: tuple[str, ...], field: str, value: object) -> None:
    assert spec(*words) == {field: value}


@pytest.mark.parametrize(
    "words",
    [
        ("--volume", "a"), ("--volume", ":/a"), ("--volume", "a:b"), ("--volume", "a:/a:x"),
        ("--secret", "db"), ("--secret", "/key"), ("--secret", "db/"), ("--health", ""),
        ("--health", "80"), ("--health", ":x"), ("--requirements", "/no/such/file"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_told(words: tuple[str, ...]) -> None:
    with pytest.raises(click.BadParameter) as raised:
        spec(*words)
    assert words[0] in raised.value.format_message()


def test_requirements_are_the_files_content(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("req") / "requirements.txt"
    file.write_text("numpy==2.0\n")
    assert spec("--requirements", str(file)) == {"requirements": "numpy==2.0\n"}


def test_nothing_said_is_nothing_asked() -> None:
    assert spec() == {}
