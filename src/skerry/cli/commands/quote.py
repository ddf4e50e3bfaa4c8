"""``quote``: the price and the place, before anything starts.

``skerry quote NOUN [flags]`` takes the flags of ``skerry NOUN create``; ``skerry quote -f FILE``
quotes documents. The group is the noun ``quote`` too: ``skerry quote list``, ``… accept``.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import NO_CAPACITY, Failed
from skerry.cli.manifests.reading import read_all
from skerry.cli.verbs.deciding import place_text
from skerry.cli.verbs.noun import NounGroup
from skerry.cli.verbs.reading import article
from skerry.cli.verbs.writing import spec_options, wanted
from skerry.client import jobs
from skerry.client.errors import BadSetting
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind
    from skerry.client.sync import KindClient


class QuoteGroup(NounGroup):
    """The verbs of quotes, and a command for each kind that can be quoted."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in ("-f", "--file"):
            args = ["documents", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        own = [v for v in super().list_commands(ctx) if v not in ("create", "update")]
        quotable = [n for n, _, _, _ in self.catalogue.summaries if self.catalogue[n].quotable]
        return [*own, *quotable, "documents"]

    def verb(self, name: str) -> click.Command:
        if name == "documents":
            return _documents()
        if name in self.catalogue and self.catalogue[name].quotable:
            return _for_kind(self.catalogue[name], self)
        return super().verb(name)


def _for_kind(kind: "Kind", group: QuoteGroup) -> click.Command:
    @pass_session
    def quote(session: Session, name: str | None, **values: Any) -> None:
        session.noun = "quote"
        body = wanted(kind, values)
        ask(session, session.client.kind("quote"), kind, name or "", body["spec"])

    params: list[click.Parameter] = [
        click.Option(["--name", "name"], metavar="NAME", help="What it shall be called"),
        *spec_options(kind, group.catalogue),
    ]
    if "command" in group.catalogue.resolve(kind.spec).get("properties", {}):
        params.insert(
            1, click.Argument(["argv"], nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
        )
    return Command(
        kind.noun,
        callback=quote,
        params=params,
        help=f"Say what {article(kind)} would cost, and where",
    )


def _documents() -> click.Command:
    @pass_session
    def quote(session: Session, files: tuple[Path, ...]) -> None:
        session.noun = "quote"
        for read in read_all(files):
            kind = read.kind(session.catalogue)
            document = read.opened(kind)
            if not kind.quotable:
                raise BadSetting(f"{document.where}: a {kind.noun} has no price of its own")
            spec = document.body.get("spec") or {}
            scope = {
                k: str(document.metadata[k])
                for k in ("tenant", "workspace")
                if document.metadata.get(k)
            }
            ask(session, session.client.kind("quote", **scope), kind, document.name, spec)

    option = click.Option(
        ["--file", "-f", "files"], multiple=True, required=True, metavar="FILE",
        type=click.Path(allow_dash=True, path_type=Path), help="A file or folder of documents",
    )  # fmt: skip
    return Command(
        "documents", callback=quote, params=[option], help="Quote the documents of files"
    )


def ask(
    session: Session, client: "KindClient", kind: "Kind", name: str, spec: dict[str, Any]
) -> None:
    """Put a quote and tell it. Raises ``Failed`` (no capacity) where nothing offered fits."""
    # A quote is read by many and holds no secret; they are given when it is accepted.
    open_spec = {key: value for key, value in spec.items() if key not in kind.secrets}
    found = client.put(jobs.fresh_name("quote"), {"kind": kind.noun, "spec": open_spec})
    if not _priced(found) and found.state not in ("active", "error"):
        found = client.wait(found.name, "settled", timeout=60) or found
    if session.form.is_document:
        output.document(found, session.form)
    elif session.form.is_table or session.form.name == "name":
        output.resources(client.target.kind, [found], session.form)
    elif _priced(found):
        click.echo("\n".join(_told(found, name)))
    if not _priced(found):
        status = found.status
        told = str(status.get("message") or "")
        raise Failed(
            told or f"no offer serves this {kind.noun}",
            detail="" if told else "; ".join(refusals(found)),
            hint=str(status.get("hint") or f"See skerry quote decision {found.name}"),
            code=NO_CAPACITY,
        )


def _priced(quote: Resource) -> bool:
    return isinstance(quote.status.get("pricePerHourNano"), int)


def _told(quote: Resource, name: str) -> list[str]:
    status = quote.status
    currency = str(status.get("currency", ""))
    lines = [
        f"Quote:   {quote.name}",
        f"Price:   {formats.money(status['pricePerHourNano'], currency)} per hour",
    ]
    if isinstance(status.get("mostNano"), int):
        lines.append(f"At most: {formats.money(status['mostNano'], currency)}")
    lines += [f"Agreed:  {words}" for words in status.get("agreed") or ()]
    lines.append(f"Place:   {place_text(status.get('place'))}")
    if status.get("policy"):
        lines.append(f"Policy:  {status['policy']}")
    if status.get("validUntil"):
        lines.append(f"Valid:   until {formats.moment(str(status['validUntil']))}")
    lines += [f"Refused: {line}" for line in refusals(quote)]
    return [*lines, f"Accept:  skerry quote accept {quote.name} --name {name or 'NAME'}"]


def refusals(quote: Resource) -> list[str]:
    """Why other offers, or all, were refused: how many for what, then those that came near."""
    refused = quote.status.get("refused") or {}
    ordered = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{count} for {reason}" for reason, count in ordered]
    for near in (quote.status.get("nearest") or ())[:3]:
        lines.append(f"{near.get('offer', '?')}: {', '.join(near.get('why') or ())}")
    return lines
