"""The few lowest of many, without sorting the many."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skerry.market.columns import Ints

_SMALL = 128


def lowest(k: int, first: Ints, then: Callable[[NDArray[np.intp]], Ints]) -> NDArray[np.intp]:
    """Positions of the ``k`` lowest by ``first`` and then by ``then``, in that order.

    ``then`` gives the second key of some positions. More than ``k`` come back only where equals
    at the end can't be told apart by either.
    """
    where = _at_most(k, first)
    if len(where) > _SMALL:
        # Very many equals: let the second key thin out those of the highest value kept.
        top = first[where].max()
        tied = where[first[where] == top]
        below = where[first[where] < top]
        where = np.concatenate((below, tied[_at_most(k, then(tied))]))
    one, two = first[where], then(where)
    order = np.lexsort((two, one))
    end = k
    while end < len(order) and (one[order[end]], two[order[end]]) == (
        one[order[k - 1]],
        two[order[k - 1]],
    ):
        end += 1
    return where[order[:end]]


def _at_most(k: int, values: Ints) -> NDArray[np.intp]:
    """Positions of a few values that include the ``k`` lowest and all their equals."""
    n = len(values)
    if n <= _SMALL:
        return np.arange(n)
    # Each column of the table has one minimum, so at least k values are at or below the k-th
    # lowest minimum; striding the columns keeps sorted input from filling one of them.
    width = 64 if n < 1 << 16 else 512
    table = values[: n - n % width].reshape(-1, width)
    limit = np.partition(table.min(axis=0), k - 1)[k - 1]
    return np.flatnonzero(values <= limit)
