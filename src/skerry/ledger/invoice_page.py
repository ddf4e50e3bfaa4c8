"""The invoice as a page to read and print: one HTML file that needs nothing else."""

from datetime import datetime, timedelta
from html import escape
from importlib import resources
from itertools import groupby
from string import Template

from skerry.ledger.invoices import Invoice, Line

_HEAD = (
    '<table class="lines"><thead><tr><th>Resource</th><th>Used</th><th class="n">Quantity</th>'
    '<th class="n">Unit price</th><th class="n">Amount</th></tr></thead><tbody>'
)


def page(invoice: Invoice) -> str:
    """Everything that a user wrote is escaped; there are no scripts."""
    closed = invoice.state == "closed"
    template = (resources.files("skerry.ledger") / "invoice_page.html").read_text("utf-8")
    month = datetime.fromisoformat(invoice.start)
    last = datetime.fromisoformat(invoice.end) - timedelta(days=1)
    return Template(template).substitute(
        title=f"Invoice for {month:%B %Y}" if closed else f"Cost so far in {month:%B %Y}",
        issuer=escape(invoice.issuer),
        state="Invoice" if closed else "Draft",
        number=escape(invoice.number),
        tenant=escape(invoice.tenant),
        period=f"1 to {last:%-d %B %Y}",
        dated="Closed" if closed else "As of",
        as_of=_minute(invoice.as_of),
        workspaces=_workspaces(invoice),
        exact=invoice.exact,
        rounding=invoice.rounding,
        currency=escape(invoice.currency),
        total=invoice.total,
        note=_note(invoice),
    )


def _workspaces(invoice: Invoice) -> str:
    if not invoice.lines:
        return '<p class="none">Nothing was used.</p>'
    parts = []
    for workspace, lines in groupby(invoice.lines, key=lambda line: line.workspace):
        rows = "".join(_row(line) for line in lines)
        parts.append(f"<h2>Workspace {escape(workspace)}</h2>{_HEAD}{rows}</tbody></table>")
    return "".join(parts)


def _row(line: Line) -> str:
    name = escape(line.resource.rpartition("/")[2])
    what = escape(f"{line.meter} {line.sku}".strip())
    where = f", {escape(line.site)}" if line.site else ""
    notes = f"<small>Lease {escape(line.lease[:13])}{where}</small>"
    if line.adjusts:
        notes += f"<small>Adjustment for {line.adjusts}</small>"
    if line.not_charged != "0.00":
        notes += f"<small>{line.not_charged} more were not charged: the budget had ended</small>"
    return (
        f"<tr><td>{name}{notes}</td>"
        f"<td>{what}<small>{_span(line.start, line.end)}</small></td>"
        f'<td class="n">{line.quantity}<small>{escape(line.unit)}</small></td>'
        f'<td class="n">{line.unit_price}</td><td class="n">{line.amount}</td></tr>'
    )


def _note(invoice: Invoice) -> str:
    records = sum(line.usage.records for line in invoice.lines)
    text = (
        f"{records} usage records stand behind these lines, each in a batch whose Merkle root is "
        "in the cloud's transparency log. The receipt of a lease proves its records offline."
    )
    if invoice.state != "closed":
        text += " This is a draft: it grows until the month's invoice is closed."
    return text


def _span(start: str, end: str) -> str:
    since, until = datetime.fromisoformat(start), datetime.fromisoformat(end)
    same_day = since.date() == until.date()
    return f"{since:%-d %b %H:%M} to {until:{'%H:%M' if same_day else '%-d %b %H:%M'}}"


def _minute(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
