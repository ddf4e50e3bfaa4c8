"""An invoice as it is read: the document, the page, the export."""

from collections.abc import Mapping
from typing import Any

import msgspec

from skerry.kernel.views import Asked
from skerry.ledger import focus, invoice_page, invoices
from skerry.ledger.invoices import Invoice


async def document(asked: Asked) -> Mapping[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(await _invoice(asked))
    return found


async def html(asked: Asked) -> bytes:
    return invoice_page.page(await _invoice(asked)).encode()


async def export(asked: Asked) -> bytes:
    return focus.parquet(await _invoice(asked))


async def _invoice(asked: Asked) -> Invoice:
    month = invoices.month_named(asked.resource.name)
    async with asked.db.transaction() as tx:
        return await invoices.invoice(tx, asked.resource.tenant, month)
