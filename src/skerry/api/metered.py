"""What every metered kind can show beside its own views: cost, decision and receipt.

A kind that declares meters is billed, placed by a decision and proved by a receipt; none of this is
repeated in a product.
"""

from skerry.kernel.kinds import Kind
from skerry.kernel.views import View

METERED: tuple[View, ...] = ()


def all_views(kind: Kind) -> tuple[View, ...]:
    """The kind's own views, and those it has for being metered."""
    return (*kind.views, *METERED) if kind.meters else kind.views
