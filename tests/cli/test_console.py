"""The command lines that the console shows, read by the command line itself.

The console writes ``skerry NOUN create …`` for what stands in a form; its own tests keep an example
for every kind. Here each is read, and must say the same spec.
"""

import io
import json
from pathlib import Path
from typing import Any

import click
import pytest

from skerry.cli.common import Session
from skerry.cli.main import root
from skerry.cli.verbs.writing import wanted
from skerry.client.catalogue import SHIPPED, load

KEPT = Path(__file__).parents[2] / "console/src/forms/cli.cases.jsonl"
CASES = [json.loads(line) for line in KEPT.read_text("utf-8").splitlines()]


def read(args: list[str]) -> dict[str, Any]:
    """The spec that a command line makes, without a cloud."""
    noun, verb, *rest = args
    kind = load(SHIPPED)[noun]
    with click.Context(root, obj=Session(), info_name="skerry") as above:
        group = root.get_command(above, noun)
        assert isinstance(group, click.Group)
        with click.Context(group, parent=above, info_name=noun) as within:
            command = group.get_command(within, verb)
            assert command is not None
            with command.make_context(verb, rest, parent=within) as ctx:
                return dict(wanted(kind, ctx.params)["spec"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["noun"])
def test_what_the_console_shows_means_what_its_form_says(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKERRY_CATALOGUE", str(SHIPPED))
    sealed = {name: value for name, value in case["spec"].items() if name in secrets(case)}
    for value in sealed.values():
        if isinstance(value, dict):
            for key, text in value.items():
                monkeypatch.setenv(key, text)
        else:
            monkeypatch.setattr("sys.stdin", io.StringIO(value))
    assert read(list(case["args"])) == case["spec"]
    written = " ".join(case["args"])
    for value in sealed.values():
        for text in value.values() if isinstance(value, dict) else [value]:
            assert text not in written


def secrets(case: dict[str, Any]) -> tuple[str, ...]:
    return load(SHIPPED)[case["noun"]].secrets


def test_every_kind_that_can_be_created_has_its_line() -> None:
    known = load(SHIPPED)
    kinds = {noun for noun in known.nouns if "put" in known[noun].ops} - {"quote"}
    assert {case["noun"] for case in CASES} == kinds
