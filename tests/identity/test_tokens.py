"""How tokens look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.identity.tokens import digest, mint, well_formed


@pytest.mark.parametrize("kind", ["user", "service", "session"])
def test_a_token_says_what_it_is(kind):
    secret = mint(kind)
    assert secret.startswith(f"skerry_{kind}_")
    assert well_formed(secret)
    assert secret != mint(kind)
    assert len(digest(secret)) == 32


@given(st.integers(7, 59), st.characters(codec="ascii"))
def test_a_mistyped_token_is_seen_without_asking_anybody(place, character):
    secret = mint("user")
    wrong = secret[:place] + character + secret[place + 1 :]
    assert well_formed(wrong) == (wrong == secret)


@pytest.mark.parametrize(
    "text", ["", "skerry", "skerry_user_", "skerry__", "ghp_abc", "skerry_user_" + "é" * 49]
)
def test_other_things_are_no_tokens(text):
    assert not well_formed(text)
