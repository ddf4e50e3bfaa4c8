"""The one authorize(): what it refuses and how."""

import pytest

from skerry.identity.authorize import Principal, authorize, authorize_list, can, target_of
from skerry.identity.kinds import KINDS
from skerry.identity.roles import Grants, Target, compile_grants
from skerry.identity.specs import RoleAssignmentSpec, Scope
from skerry.kernel.errors import Forbidden, NotFound
from skerry.kernel.paths import Path
from tests.identity import matrix
from tests.identity.conftest import THING

KIND = {kind.noun: kind for kind in KINDS}


def ann(*roles: str, tenant: str = "acme", narrow: tuple[Scope, ...] = (), **scope) -> Principal:
    assignment = RoleAssignmentSpec(roles=list(roles), subs=["ann"], scopes=[Scope(**scope)])
    grants = compile_grants(tenant, [assignment] if roles else [], {})
    return Principal(tenant, "users/ann", grants=grants.narrow(narrow))


def thing(workspace="blue", tenant="acme", name="t"):
    return target_of(THING, Path(tenant, workspace, name=name), "here")


def test_the_built_in_roles_do_what_the_table_says():
    """A change of who may do what is a change of this file, for somebody to read."""
    assert matrix.FILE.read_text() == matrix.render(), "run python -m tests.identity.matrix"


def test_allowed_is_silent():
    authorize(ann("seca.workspace-editor"), "put", thing())
    authorize(ann("seca.workspace-editor"), "POST.Restart", thing())


def test_a_missing_permission_is_named():
    with pytest.raises(Forbidden) as refusal:
        authorize(ann("seca.workspace-viewer"), "put", thing())
    assert refusal.value.detail == "You (ann@acme) may not put things/t of test.things/v1."
    assert "workspace 'blue'" in refusal.value.hint
    assert "put on things/t of test.things/v1" in refusal.value.hint


def test_what_takes_an_operator_says_so():
    with pytest.raises(Forbidden, match="may not put tenants/zeta") as refusal:
        authorize(ann("seca.admin"), "put", target_of(KIND["tenant"], Path(name="zeta")))
    assert "skerry.operator" in refusal.value.hint


@pytest.mark.parametrize("verb", ["get", "list", "put", "delete", "post.act"])
def test_a_workspace_one_knows_nothing_of_does_not_exist(verb):
    with pytest.raises(NotFound, match="no workspace 'red' of tenant 'acme'"):
        authorize(ann("seca.workspace-admin", workspaces=["blue"]), verb, thing("red"))


@pytest.mark.parametrize("verb", ["get", "list", "put", "delete", "post.act"])
def test_a_tenant_one_knows_nothing_of_does_not_exist(verb):
    with pytest.raises(NotFound, match="tenant 'zeta'"):
        authorize(ann("seca.admin"), verb, thing(tenant="zeta"))
    with pytest.raises(NotFound, match="tenant 'zeta'"):
        authorize(ann("seca.admin"), verb, target_of(KIND["role"], Path("zeta", name="r")))


def test_the_operator_sees_that_a_tenant_exists():
    auditor = ann("skerry.auditor", tenant="operator", tenants=["zeta"])
    with pytest.raises(Forbidden):
        authorize(auditor, "put", target_of(KIND["role"], Path("zeta", name="r")))
    with pytest.raises(NotFound):
        authorize(auditor, "get", target_of(KIND["role"], Path("acme", name="r")))


def test_refusing_a_new_workspace_hides_nothing():
    """Who asks for one has just said its name; 404 would only puzzle them."""
    new = target_of(KIND["workspace"], Path("acme", name="green"))
    with pytest.raises(Forbidden):
        authorize(ann(), "put", new)
    with pytest.raises(NotFound):
        authorize(ann(), "get", new)


def test_one_sees_the_workspaces_one_is_in():
    everything = target_of(KIND["workspace"], Path("acme"), "here")
    blue, red = (
        target_of(KIND["workspace"], Path("acme", name=name), "here") for name in ("blue", "red")
    )
    viewer = ann("seca.workspace-viewer", workspaces=["blue"])
    assert not authorize_list(viewer, everything)
    assert can(viewer, "get", blue)
    assert not can(viewer, "get", red)
    assert authorize_list(ann("seca.admin"), everything)
    with pytest.raises(Forbidden):
        authorize_list(ann(), everything)
    with pytest.raises(NotFound):
        authorize_list(ann("seca.admin"), target_of(KIND["workspace"], Path("zeta")))


def test_one_sees_and_manages_ones_own_tokens():
    tokens = target_of(KIND["token"], Path("acme"))
    mine, other, like_mine = (
        target_of(KIND["token"], Path("acme", name=name)) for name in ("ann.x", "bob.x", "anna.x")
    )
    assert not authorize_list(ann(), tokens)
    assert authorize_list(ann("seca.admin"), tokens)
    for verb in ("get", "put", "delete"):
        authorize(ann(), verb, mine)
        for theirs in (other, like_mine):
            with pytest.raises(Forbidden):
                authorize(ann(), verb, theirs)
    service = Principal("acme", "service-accounts/ann")
    with pytest.raises(Forbidden):
        authorize(service, "put", mine)
    with pytest.raises(Forbidden):
        authorize_list(service, tokens)


def test_other_lists_are_all_or_nothing():
    assert authorize_list(ann("seca.workspace-viewer"), thing(name=""))
    with pytest.raises(Forbidden):
        authorize_list(ann("seca.workspace-viewer"), target_of(KIND["role"], Path("acme")))


def test_ones_own_user_and_password():
    me = target_of(KIND["user"], Path("acme", name="ann"))
    authorize(ann(), "get", me)
    authorize(ann(), "post.set-password", me)
    for verb in ("put", "delete", "post.other"):
        with pytest.raises(Forbidden):
            authorize(ann(), verb, me)
    namesake = Principal("zeta", "users/ann")
    with pytest.raises(NotFound):
        authorize(namesake, "get", me)


def test_a_narrowed_token_does_not_touch_who_its_owner_is():
    """Else it could widen itself, by a new token or a new password."""
    here = (Scope(tenants=["acme"]),)
    me = target_of(KIND["user"], Path("acme", name="ann"))
    mine = target_of(KIND["token"], Path("acme", name="ann.x"))
    authorize(ann(narrow=here), "get", me)
    for verb, target in (("post.set-password", me), ("put", mine), ("delete", mine)):
        with pytest.raises(Forbidden):
            authorize(ann(narrow=here), verb, target)
    with pytest.raises(Forbidden):
        authorize(ann(narrow=(Scope(workspaces=["blue"]),)), "get", me)


def test_regions_are_for_everybody_to_see():
    regions = Target("seca.region/v1", resource="regions", public=True)
    assert authorize_list(ann(narrow=(Scope(workspaces=["blue"]),)), regions)
    with pytest.raises(Forbidden):
        authorize(ann("seca.admin"), "put", Target("seca.region/v1", resource="regions/x"))


def test_only_operators_say_who_is_who_in_their_tenant():
    """An administrator there could make anybody an operator."""
    admin = ann("seca.admin", tenant="operator")
    for kind, name in (("role-assignment", "a"), ("role", "r"), ("user", "u"), ("token", "t")):
        target = target_of(KIND[kind], Path("operator", name=name))
        authorize(admin, "get", target)
        with pytest.raises(Forbidden, match="may not put") as refusal:
            authorize(admin, "put", target)
        assert "skerry.operator" in refusal.value.hint
        authorize(ann("skerry.operator", tenant="operator"), "put", target)


def test_who_is_an_operator():
    everywhere = {"tenants": ["*"]}
    assert ann("skerry.operator", tenant="operator", **everywhere).is_operator
    assert not ann("skerry.operator", tenant="operator").is_operator
    assert not ann("skerry.operator", **everywhere).is_operator
    assert not ann("seca.admin", tenant="operator", **everywhere).is_operator
    narrow = ann("skerry.operator", tenant="operator", narrow=(Scope(regions=["r"]),), **everywhere)
    assert not narrow.is_operator


def test_how_records_call_a_principal():
    assert ann().actor == "ann@acme"
    assert Principal("acme", "service-accounts/ci").actor == "service-accounts/ci@acme"
    caller = ann("skerry.operator", tenant="operator", tenants=["*"]).caller
    assert (caller.subject, caller.tenant, caller.operator) == ("ann@operator", "operator", True)


def test_no_grants_by_default():
    assert Principal("acme", "users/ann").grants == Grants()


def test_targets_follow_from_kind_and_path():
    workspace = target_of(KIND["workspace"], Path("acme", name="blue"), "here")
    assert workspace == Target("seca.workspace/v1", "acme", "blue", "here", "workspaces/blue")
    assert thing(name="") == Target("test.things/v1", "acme", "blue", "here", "things")
    assert target_of(KIND["tenant"], Path(name="acme")).operator_only
