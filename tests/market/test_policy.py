"""Policies only ever narrow, and say in words what they mean."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.market import places
from skerry.market.ask import EVIDENCE, ISOLATIONS
from skerry.market.policy import Policy, PolicySpec, compiled, intersect, policy_in_words
from tests.market.supply import policies


def allows(policy, country, operator, isolation, tier, evidence) -> bool:
    restricted = policy.allowed is not None or policy.forbidden
    return (
        (not restricted or country != "")
        and (policy.allowed is None or country in policy.allowed)
        and country not in policy.forbidden
        and (policy.operators is None or operator in policy.operators)
        and ISOLATIONS.index(isolation) >= ISOLATIONS.index(policy.isolation)
        and tier >= policy.tier
        and EVIDENCE.index(evidence) >= EVIDENCE.index(policy.evidence)
    )


offers = st.tuples(
    st.sampled_from(("", "DE", "US", "CH", "FR")),
    st.sampled_from(("us-corp", "coop", "lab")),
    st.sampled_from(ISOLATIONS),
    st.integers(0, 4),
    st.sampled_from(EVIDENCE),
)


@given(st.lists(policies, max_size=4), offers)
def test_an_intersection_allows_what_all_allow(joined, offer):
    assert allows(intersect(joined), *offer) == all(allows(p, *offer) for p in joined)


@given(policies, policies, policies)
def test_order_and_grouping_make_no_difference(a, b, c):
    assert intersect((a, b, c)) == intersect((c, intersect((b, a)))) == intersect((a, b, c, a))


@given(policies)
def test_a_policy_survives_being_written_down(policy):
    assert msgspec.convert(msgspec.to_builtins(policy), Policy) == policy
    assert policy_in_words(policy)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (PolicySpec(), "anywhere, with anybody"),
        (PolicySpec(jurisdictions=["EU"]), "only in EU"),
        (PolicySpec(jurisdictions=["EU", "CH"], forbidden=["HU"]), "only in EU without HU, CH"),
        (PolicySpec(jurisdictions=["EEA"]), "only in EEA"),
        (PolicySpec(jurisdictions=["DE"], forbidden=["DE"]), "only in no country"),
        (PolicySpec(forbidden=["US", "CN"]), "never in CN, US"),
        (
            PolicySpec(operators=["lab"], isolation="vm", trust_tier=2, evidence="hardware"),
            "only run by lab; isolated at least by vm; only with operators of tier 2 (verified) "
            "or above; with facts attested by hardware",
        ),
    ],
)
def test_words(spec, words):
    assert policy_in_words(compiled(spec)) == words


def test_an_unknown_country_is_an_error():
    with pytest.raises(ValueError, match="'XX' is neither"):
        compiled(PolicySpec(jurisdictions=["XX"]))


def test_groups_are_made_of_countries():
    assert all(group <= places.COUNTRIES for group in places.GROUPS.values())
    assert len(places.COUNTRIES) == 249
    assert len(places.GROUPS["EU"]) == 27
    assert not set(places.GROUPS) & places.COUNTRIES
    assert places.known("EU")
    assert places.known("DE")
    assert not places.known("UK")


def test_the_sources_of_a_policy_are_kept():
    joined = intersect((compiled(PolicySpec(), "b@2"), compiled(PolicySpec(), "a@1")))
    assert joined.sources == ("a@1", "b@2")
