"""Roles, assignments and scopes as pure functions."""

import fnmatch
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skerry.identity.roles import (
    OPERATOR_TENANT,
    SYSTEM_ROLES,
    Target,
    compile_grants,
    glob,
    is_verb,
)
from skerry.identity.specs import Permission, RoleAssignmentSpec, RoleSpec, Scope

NAMES = ["a", "b", "c"]
TENANTS = ["acme", "zeta", OPERATOR_TENANT]
PROVIDERS = ["seca.storage", "seca.compute", "seca.authorization"]
VERBS = ["get", "list", "put", "delete", "post.start", "post.stop"]


def some(values, **limits):
    return st.lists(st.sampled_from(values), **limits)


scopes = st.builds(
    Scope,
    tenants=some([*TENANTS, "*"], max_size=2),
    regions=some(["north", "south"], max_size=1),
    workspaces=some(NAMES, max_size=2),
)
permissions = st.builds(
    Permission,
    provider=st.sampled_from([*PROVIDERS, "seca.storage/v1", "seca.storage/v2"]),
    resources=some(
        ["*", "images", "images/*", "images/a", "images/a*", "images/*/tags/*", "images/*/tags"],
        min_size=1,
        max_size=2,
    ),
    verb=some(
        ["get", "GET", "list", "Put", "delete", "post", "post.start"], min_size=1, max_size=3
    ),
)
roles = st.dictionaries(
    st.sampled_from(["r1", "r2"]),
    st.builds(RoleSpec, permissions=st.lists(permissions, min_size=1, max_size=2)),
)
assignments = st.lists(
    st.builds(
        RoleAssignmentSpec,
        roles=some(["r1", "r2", "r3", *SYSTEM_ROLES], min_size=1, max_size=2),
        subs=st.just(["ann"]),
        scopes=st.lists(scopes, min_size=1, max_size=2),
    ),
    max_size=3,
)
targets = st.builds(
    Target,
    provider=st.sampled_from([f"{p}/v1" for p in PROVIDERS]),
    tenant=st.sampled_from([*TENANTS, ""]),
    workspace=st.sampled_from([*NAMES, ""]),
    region=st.sampled_from(["north", "south", ""]),
    resource=st.sampled_from(
        ["images", "images/a", "images/ab", "images/b/tags", "images/b/tags/x"]
    ),
    operator_only=st.booleans(),
)
homes = st.sampled_from(TENANTS)
verbs = st.sampled_from(VERBS)


def said(assignment, role, home, verb, target, all_roles):
    """The rules again, in the words of the specification, without any compilation."""
    if role in all_roles:
        words = all_roles[role].permissions
        if target.operator_only and verb not in ("get", "list"):
            return False
        if (
            target.tenant == OPERATOR_TENANT
            and target.provider.startswith("seca.authorization")
            and verb not in ("get", "list")
        ):
            return False
        if not any(permits(p, verb, target) for p in words):
            return False
    elif not built_in(role, home, verb, target):
        return False
    return any(reaches(scope, home, target) for scope in assignment.scopes)


def permits(permission, verb, target):
    if permission.provider not in (target.provider, target.provider.split("/")[0]):
        return False
    if not {verb, verb.split(".")[0]} & {word.lower() for word in permission.verb}:
        return False
    return any(
        pattern == "*"
        or parts_match(pattern, target.resource)
        or (
            verb == "list"
            and pattern in (f"{target.resource}/*", "images/*/tags/*")
            and parts_match(pattern.removesuffix("/*"), target.resource)
        )
        for pattern in permission.resources
    )


def parts_match(pattern, path):
    p, q = pattern.split("/"), path.split("/")
    return len(p) == len(q) and all(fnmatch.fnmatchcase(b, a) for a, b in zip(p, q, strict=True))


def built_in(role, home, verb, target):
    read = verb in ("get", "list")
    guarded = target.operator_only or (
        target.tenant == OPERATOR_TENANT and target.provider.startswith("seca.authorization")
    )
    match role:
        case "skerry.operator":
            return home == OPERATOR_TENANT
        case "skerry.auditor":
            return read
        case "seca.admin":
            return target.tenant != "" and (read or not guarded)
        case "seca.region-admin":
            return target.region != "" and (read or not guarded)
        case "seca.workspace-admin" | "seca.workspace-editor":
            return target.workspace != "" and (read or not guarded)
        case "seca.workspace-viewer":
            return target.workspace != "" and read
    return False


def reaches(scope, home, target):
    if home == OPERATOR_TENANT:
        tenants = scope.tenants or [home]
        if "*" not in tenants and target.tenant not in tenants:
            return False
    elif target.tenant != home or (scope.tenants and home not in scope.tenants):
        return False
    if scope.regions and target.region not in scope.regions:
        return False
    return not scope.workspaces or target.workspace in scope.workspaces


@given(homes, assignments, roles, verbs, targets)
def test_grants_say_what_the_rules_say(home, assignments, roles, verb, target):
    """Compiled grants and a literal reading of the rules agree on every question."""
    grants = compile_grants(home, assignments, roles)
    expected = any(
        said(assignment, role, home, verb, target, roles)
        for assignment in assignments
        for role in assignment.roles
    )
    assert grants.allow(verb, target) == expected


@given(homes, assignments, roles, verbs, targets)
def test_nothing_is_granted_outside_its_tenant(home, assignments, roles, verb, target):
    """Only the operator's assignments reach another tenant, or what belongs to none."""
    if home != OPERATOR_TENANT and target.tenant != home:
        grants = compile_grants(home, assignments, roles)
        assert not grants.allow(verb, target)
        assert not grants.know(target)
        assert not grants.operator


@given(homes, assignments, roles, verbs, targets)
def test_nothing_is_granted_outside_every_scope(home, assignments, roles, verb, target):
    """Whatever is allowed lies in a region and a workspace that some scope names."""
    if compile_grants(home, assignments, roles).allow(verb, target):
        assert any(
            (not s.regions or target.region in s.regions)
            and (not s.workspaces or target.workspace in s.workspaces)
            for a in assignments
            for s in a.scopes
        )


@given(homes, assignments, roles, verbs, targets, st.lists(scopes, min_size=1, max_size=2))
def test_a_narrowed_token_never_does_more(home, assignments, roles, verb, target, narrow):
    """A token's scopes take away and never add."""
    wide = compile_grants(home, assignments, roles)
    small = wide.narrow(narrow)
    assert not small.operator
    if small.allow(verb, target):
        assert wide.allow(verb, target)
        assert any(
            (not s.tenants or target.tenant in s.tenants)
            and (not s.regions or target.region in s.regions)
            and (not s.workspaces or target.workspace in s.workspaces)
            for s in narrow
        )


@given(homes, assignments, roles, verbs, targets)
def test_taking_an_assignment_away_never_adds(home, assignments, roles, verb, target):
    if assignments and not compile_grants(home, assignments, roles).allow(verb, target):
        assert not compile_grants(home, assignments[1:], roles).allow(verb, target)


def test_no_assignment_no_permission():
    assert not compile_grants("acme", [], {}).allow("get", Target("seca.storage/v1", "acme"))


@given(st.text(alphabet="ab*/", min_size=1, max_size=12), st.text(alphabet="ab/", max_size=12))
@example("a*a", "a")
@example("a*b*b", "ab")
@example("*", "any/thing")
def test_globs_are_what_a_regular_expression_says(pattern, path):
    """A star stays inside its part of the path; alone it is everything."""
    expected = pattern == "*" or re.fullmatch(
        "[^/]*".join(map(re.escape, pattern.split("*"))), path
    )
    assert glob(pattern, path) == bool(expected)


@pytest.mark.parametrize(
    "verb", ["get", "LIST", "Put", "delete", "post", "post.start", "POST.stop"]
)
def test_verbs(verb):
    assert is_verb(verb)


@pytest.mark.parametrize("verb", ["", "CONNECT", "getter", "post.", "post.-x", "aaaaaaaa", "*"])
def test_not_verbs(verb):
    assert not is_verb(verb)


def test_unknown_roles_bind_when_they_appear():
    """SECA: references bind late."""
    assignment = RoleAssignmentSpec(roles=["later"], subs=["ann"], scopes=[Scope()])
    image = Target("seca.storage/v1", "acme", "w", "r", "images/a")
    assert not compile_grants("acme", [assignment], {}).allow("get", image)
    made = RoleSpec(
        permissions=[Permission(provider="seca.storage", resources=["*"], verb=["GET"])]
    )
    assert compile_grants("acme", [assignment], {"later": made}).allow("get", image)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"provider": ""}, "provider"),
        ({"provider": "a" * 65}, "provider"),
        ({"resources": []}, "resources"),
        ({"resources": [""]}, "resources"),
        ({"resources": ["a" * 257]}, "resources"),
        ({"resources": ["images/*"] * 257}, "resources"),
        ({"verb": []}, "verb"),
        ({"verb": [""]}, "verb"),
        ({"verb": ["get"] * 17}, "verb"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_limits_of_a_permission(change, pointer):
    permission = {"provider": "seca.storage/v1", "resources": ["images/*"], "verb": ["get"]}
    with pytest.raises(msgspec.ValidationError, match=pointer):
        msgspec.convert({"permissions": [permission | change]}, RoleSpec)


@pytest.mark.parametrize("count", [0, 257])
def test_limits_of_a_role(count):
    permission = {"provider": "seca.storage/v1", "resources": ["images/*"], "verb": ["get"]}
    with pytest.raises(msgspec.ValidationError, match="permissions"):
        msgspec.convert({"permissions": [permission] * count}, RoleSpec)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"roles": []}, "roles"),
        ({"roles": [""]}, "roles"),
        ({"roles": ["a" * 65]}, "roles"),
        ({"roles": ["viewer"] * 33}, "roles"),
        ({"subs": []}, "subs"),
        ({"subs": [""]}, "subs"),
        ({"subs": ["a" * 129]}, "subs"),
        ({"subs": ["u@example.com"] * 257}, "subs"),
        ({"scopes": []}, "scopes"),
        ({"scopes": [{"tenants": ["acme"]}] * 257}, "scopes"),
        ({"scopes": [{"tenants": [""]}]}, "tenants"),
        ({"scopes": [{"tenants": ["a" * 65]}]}, "tenants"),
        ({"scopes": [{"tenants": ["t"] * 65}]}, "tenants"),
        ({"scopes": [{"regions": [""]}]}, "regions"),
        ({"scopes": [{"regions": ["a" * 65]}]}, "regions"),
        ({"scopes": [{"regions": ["r"] * 65}]}, "regions"),
        ({"scopes": [{"workspaces": [""]}]}, "workspaces"),
        ({"scopes": [{"workspaces": ["a" * 65]}]}, "workspaces"),
        ({"scopes": [{"workspaces": ["w"] * 257}]}, "workspaces"),
    ],
)
def test_limits_of_an_assignment(change, pointer):
    """SECA's limits, as its conformance suite asks them."""
    spec = {"roles": ["viewer"], "subs": ["ann"], "scopes": [{}]}
    msgspec.convert(spec, RoleAssignmentSpec)
    with pytest.raises(msgspec.ValidationError, match=pointer):
        msgspec.convert(spec | change, RoleAssignmentSpec)


NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
VISIT = {"not_before": NOON, "not_after": NOON + timedelta(hours=1)}


@pytest.mark.parametrize(
    ("minutes", "counts", "turn"),
    [(-1, False, 60), (0, True, 3600), (59, True, 60), (60, False, None)],
)
def test_an_assignment_counts_within_its_time(minutes, counts, turn):
    assignment = RoleAssignmentSpec(
        roles=["skerry.auditor"], subs=["ann"], scopes=[Scope()], **VISIT
    )
    grants, left = compile_grants("acme", [assignment], {}).at(NOON + timedelta(minutes=minutes))
    assert grants.allow("get", Target("skerry.run/v1", "acme", resource="jobs/x")) is counts
    assert left == turn


def test_one_that_ended_takes_nothing_from_the_others():
    ended = RoleAssignmentSpec(roles=["seca.admin"], subs=["ann"], scopes=[Scope()], not_after=NOON)
    lasting = RoleAssignmentSpec(roles=["skerry.auditor"], subs=["ann"], scopes=[Scope()])
    grants, left = compile_grants("acme", [ended, lasting], {}).at(NOON)
    target = Target("skerry.run/v1", "acme", resource="jobs/x")
    assert grants.allow("get", target)
    assert not grants.allow("put", target)
    assert left is None
