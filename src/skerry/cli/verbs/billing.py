"""What is billed, as text: a cost so far, and an invoice as the table it is."""

from collections.abc import Mapping
from typing import Any

from skerry.cli import formats, output

_COST = {
    "runningNano": "not yet charged",
    "heldNano": "set aside",
    "perHourNano": "per hour",
}
_TITLES = ("WORKSPACE", "RESOURCE", "METER", "SITE", "QUANTITY", "UNIT PRICE", "EXACT", "AMOUNT")


def cost_text(found: Mapping[str, Any]) -> str:
    """The amount so far, then what more there is to tell of it."""
    currency = str(found.get("currency", ""))
    more = {
        words: formats.money(found[key], currency) for key, words in _COST.items() if found.get(key)
    }
    amount = formats.money(found.get("amountNano", 0), currency)
    return "\n".join([amount, *output.described(more, 1)])


def invoice_text(found: Mapping[str, Any]) -> str:
    """Head, lines, sum. What stands behind a line (lease, usage, times) is in the JSON."""
    head = {key: found.get(key) for key in ("number", "state", "issuer", "tenant", "period")}
    head["asOf"] = formats.moment(str(found.get("asOf", "")))
    rows = [_line(line) for line in found.get("lines") or ()]
    currency = found.get("currency", "")
    sums = {key: f"{found.get(key, '-')} {currency}" for key in ("exact", "rounding", "total")}
    table = [*output.lines(_TITLES, rows), ""] if rows else []
    return "\n".join([*output.described(head), "", *table, *output.described(sums)])


def _line(line: Mapping[str, Any]) -> list[str]:
    resource = "/".join(str(line.get("resource", "-")).split("/")[-2:])
    adjusts = f" (for {line['adjusts']})" if line.get("adjusts") else ""
    quantity = f"{line.get('quantity', '-')} {line.get('unit', '')}".rstrip()
    words = [str(line.get(word, "-")) for word in ("workspace", "meter", "site")]
    amounts = [str(line.get(word, "-")) for word in ("unitPrice", "exact", "amount")]
    return [words[0], resource + adjusts, *words[1:], quantity, *amounts]
