"""``receipt``, ``verify`` and ``key``: what happened, for anyone to check without asking."""

from pathlib import Path
from typing import BinaryIO, cast

import click

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.complete import names_of
from skerry.cli.exits import FAILURE, USAGE, Failed
from skerry.cli.verbs.viewing import destination
from skerry.client.errors import BadSetting

PROOF = "/providers/skerry.proof/v1"


@pass_session
def _receipt(session: Session, name: str, to: Path | None) -> None:
    noun, slash, rest = name.partition("/")
    noun, name = (noun, rest) if slash else ("job", name)
    session.noun = noun
    with destination(to) as write:
        session.client.kind(noun).download(name, "receipt", write)
    if to is not None:
        click.echo(to)


receipt = Command(
    "receipt",
    callback=_receipt,
    params=[
        click.Argument(["name"], metavar="[NOUN/]NAME", shell_complete=names_of("job")),
        click.Option(
            ["--to"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write it to this file",
        ),
    ],
    help="Fetch the receipt of a job or another metered resource.",
)


@pass_session
def _key(session: Session, witness: bool) -> None:
    name = "witness-key" if witness else "key"
    output.raw(session.client.request("GET", f"{PROOF}/{name}").body)


key = Command(
    "key",
    callback=_key,
    params=[
        click.Option(
            ["--witness"], is_flag=True, help="The one that this cloud cosigns others' logs with"
        )
    ],
    help="Show the operator's public key.",
)


def _text(key: str) -> str:
    is_file = "\0" not in key and len(key) < 4096 and Path(key).is_file()
    return Path(key).read_text("utf-8") if is_file else key


def checked(file: str, key: str, witnesses: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """What a file is and what it proves; offline, nothing is asked of any cloud. Raises what is
    wrong with it in words."""
    from skerry.proof import verify as verifier

    try:
        parsed = verifier.Key.parse(_text(key))
        others = [verifier.Key.parse(_text(one), verifier.COSIGNATURE) for one in witnesses]
        with click.open_file(file, "rb") as stream:
            return verifier.check(cast("BinaryIO", stream), parsed, others)
    except verifier.Failed as failed:
        raise Failed(
            f"{failed.what} FAILS at {failed.where}", detail=failed.why, code=FAILURE
        ) from None
    except verifier.Unreadable as error:
        raise Failed("this can't be verified", detail=str(error), code=USAGE) from None
    except (OSError, ValueError) as error:
        raise BadSetting(f"{file} can't be read", detail=str(error)) from None


@pass_session
def _verify(session: Session, file: str, key: str, witnesses: tuple[str, ...]) -> None:
    what, proved = checked(file, key, witnesses)
    if session.form.is_document:
        output.document({"ok": True, "facts": proved}, session.form)
        return
    click.echo("\n".join(proved))
    click.echo(f"{what} OK")


def key_of() -> click.Option:
    return click.Option(
        ["--key", "-k"],
        required=True,
        metavar="KEY",
        help="The operator's verifier key, or a file of it",
    )


verify = Command(
    "verify",
    callback=_verify,
    params=[
        click.Argument(["file"], type=click.Path(allow_dash=True), metavar="FILE"),
        key_of(),
        click.Option(
            ["--witness", "witnesses"],
            multiple=True,
            metavar="KEY",
            help="A witness's key, or a file of it: it must have cosigned",
        ),
    ],
    help="Check a receipt or an audit offline, with nothing but the operator's public key.",
)
