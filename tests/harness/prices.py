"""A price list in which everything that any kind meters has a price."""

from skerry.kernel.kinds import Registry
from skerry.ledger import price_lists, prices


def priced(registry: Registry) -> str:
    """The list that is shipped if that has them all, else its successor with a price of one for
    each meter that it does not know."""
    shipped = price_lists.shipped()
    known = prices.read(shipped).prices
    new = sorted({meter for kind in registry.kinds for meter in kind.meters} - known.keys())
    lines = "".join(f'{meter} = "1.00"\n' for meter in new)
    if not new:
        return shipped
    later = shipped.replace("version = 1", "version = 2").replace("2026-01-01", "2026-01-02")
    return later.replace("[prices]\n", f"[prices]\n{lines}", 1)
