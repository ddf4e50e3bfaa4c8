"""The few lowest of many are those that sorting would find."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skerry.market.lowest import lowest


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 70_000),
    st.sampled_from((1, 2, 10, 16)),
    st.sampled_from((1, 3, 1000, 2**60)),
    st.sampled_from((2, 2**60)),
    st.booleans(),
)
def test_it_agrees_with_sorting(seed, size, k, prices, keys, ascending):
    dice = np.random.default_rng(seed)
    first, then = dice.integers(0, prices, size), dice.integers(0, keys, size)
    if ascending:
        first.sort()
    got = lowest(k, first, lambda some: then[some])
    wanted = np.lexsort((then, first))[:k]
    assert [(first[i], then[i]) for i in got[:k]] == [(first[i], then[i]) for i in wanted]
    last = got[-1]
    equals = np.flatnonzero((first == first[last]) & (then == then[last]))
    if len(got) >= k:
        assert set(equals) <= set(got.tolist())
