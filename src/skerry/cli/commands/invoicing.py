"""Invoices for a whole cloud: a month closed for everybody, one of them in any form, the register.

``skerry invoice issue`` asks tenant by tenant, each in a transaction of its own. Cut off anywhere
and called again, it goes on: what was issued is answered as it is.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.complete import names_of
from skerry.cli.exits import Failed
from skerry.cli.verbs.reading import describe
from skerry.cli.verbs.viewing import destination
from skerry.client.errors import NotFound, SkerryError

if TYPE_CHECKING:
    from skerry.client.sync import KindClient

_PERIOD = click.Option(
    ["--period"], required=True, metavar="MONTH", help="The month, such as 2026-10"
)
_TITLES = ("NUMBER", "TENANT", "CUSTOMER", "NET", "VAT", "GROSS", "PAYABLE", "OUTCOME")
_KEYS = ("number", "tenant", "customer", "net", "vat", "gross", "payable", "outcome")
_REGISTER = (
    "NUMBER", "TYPE", "TENANT", "PERIOD", "ISSUED", "DUE", "NET", "VAT", "GROSS", "OPEN", "PHASE",
)  # fmt: skip
_REGISTER_KEYS = (
    "number", "type", "tenant", "period", "issuedOn", "dueOn", "net", "vat", "gross", "open",
    "phase",
)  # fmt: skip


@pass_session
def _issue(session: Session, period: str, draft: bool, only: tuple[str, ...]) -> None:
    session.noun = "invoice"
    tenants = list(only) or [found.name for found in session.client.kind("tenant").list()]
    done: list[dict[str, Any]] = []
    failed: list[tuple[str, SkerryError]] = []
    with session.progress() as progress:
        for number, tenant in enumerate(tenants, 1):
            progress.update(f"{period}: {number} of {len(tenants)} tenants, {tenant}")
            account = session.client.kind("billing-account", tenant=tenant)
            try:
                found = account.act("main", "issue", {"period": period, "draft": draft})
            except NotFound:
                continue  # a tenant of this very minute
            except SkerryError as error:
                failed.append((tenant, error))
                continue
            if found.get("outcome") != "nothing":
                done.append({"tenant": tenant, **found})
    _tell(session, done, [tenant for tenant, _ in failed])
    if failed:
        lines = [f"{tenant}: {error}" for tenant, error in failed]
        raise Failed(
            f"{formats.counted(len(failed), 'tenant')} of {len(tenants)} could not be invoiced",
            detail="\n".join(lines),
            hint=str(getattr(failed[0][1], "hint", "") or "")
            + " What is done stays done: mend it and run the same again.",
        )


def _tell(session: Session, done: list[dict[str, Any]], failed: list[str]) -> None:
    if session.form.is_document:
        output.document({"items": done, "failed": failed}, session.form)
        return
    if done:
        rows = [[str(one.get(key) or "-") for key in _KEYS] for one in done]
        output.table(_TITLES, rows, header=session.form.header)
    new = sum(1 for one in done if one["outcome"] == "issued")
    drafts = sum(1 for one in done if one["outcome"] == "draft")
    words = f"{formats.counted(drafts, 'draft')}" if drafts else f"{new} issued"
    session.note(f"{words}, {len(done) - new - drafts} issued before")


issue = Command(
    "issue",
    callback=_issue,
    params=[
        _PERIOD,
        click.Option(["--draft"], is_flag=True, help="Only show what would be issued"),
        click.Option(["--only"], multiple=True, metavar="TENANT", help="Only this tenant"),
    ],
    help="Issue a month's invoices, of all tenants",
)


@pass_session
def _get(session: Session, names: tuple[str, ...], to: Path | None) -> None:
    session.noun = "invoice"
    client = session.client.kind("invoice")
    form = session.form
    if form.name in Get.forms:
        if len(names) != 1:
            raise click.UsageError(f"-o {form.name} is of one invoice")
        name = names[0].lower()
        view = "pdf" if form.name == "pdf" else "xml"
        query = {"syntax": "ubl"} if form.name == "ubl" else {}
        with destination(to) as write:
            try:
                _owner(session, client, name).download(name, view, write, **query)
            except NotFound:
                if "tenant" in session.given or len(name) <= len("2026-10"):
                    raise
                # Its tenant is gone; what was issued is not.
                seller = session.client.kind("seller")
                seller.download("main", view, write, number=name, **query)
        return
    found = []
    for name in names:
        found.append(_owner(session, client, name.lower()).get(name.lower()))
    kind = client.target.kind
    if form.is_document and len(found) == 1:
        output.document(found[0], form)
    elif form.is_document or form.is_table or form.name == "name":
        output.resources(kind, found, form)
    else:
        click.echo("\n\n".join(describe(kind, one) for one in found))


def _owner(session: Session, client: "KindClient", name: str) -> "KindClient":
    """The client of the tenant that an invoice is of: an operator need not say which."""
    if "tenant" in session.given or len(name) <= len("2026-10"):
        return client
    try:
        found = session.client.kind("seller").view("main", "register")["items"]
    except SkerryError:
        return client
    for one in found:
        if str(one["number"]).lower() == name:
            return session.client.kind("invoice", tenant=str(one["tenant"]))
    return client


class Get(Command):
    forms = ("pdf", "xml", "ubl")


get = Get(
    "get",
    callback=_get,
    params=[
        click.Argument(
            ["names"], nargs=-1, required=True, metavar="NAME...",
            shell_complete=names_of("invoice"),
        ),
        click.Option(
            ["--to"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Write it to this file",
        ),
    ],
    help="Show an invoice; -o pdf, xml (Factur-X) and ubl (Peppol) are what is sent",
)  # fmt: skip


@pass_session
def _register(session: Session, period: str | None, phase: str | None) -> None:
    session.noun = "invoice"
    query = {"period": period} if period else {}
    found = session.client.kind("seller").view("main", "register", **query)["items"]
    found = [one for one in found if not phase or one["phase"] == phase]
    if session.form.is_document:
        output.document(found, session.form)
        return
    rows = [[str(one.get(key) or "-") for key in _REGISTER_KEYS] for one in found]
    output.table(_REGISTER, rows, header=session.form.header)


register = Command(
    "register",
    callback=_register,
    params=[
        click.Option(["--period"], metavar="MONTH", help="Only this month"),
        click.Option(["--phase"], metavar="PHASE", help="Only these, such as overdue"),
    ],
    help="List all that was issued, by number",
)
