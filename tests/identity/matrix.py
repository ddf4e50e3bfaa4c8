"""Who may do what: built-in roles x kinds x verbs, as a table a person can review.

``python -m tests.identity.matrix`` writes ``matrix.txt`` again; a test compares.
"""

from pathlib import Path

from msgspec.structs import replace

from skerry.identity.authorize import Principal, can
from skerry.identity.roles import SYSTEM_ROLES, Target, compile_grants
from skerry.identity.specs import RoleAssignmentSpec, Scope

FILE = Path(__file__).with_name("matrix.txt")
VERBS = {"g": "get", "l": "list", "p": "put", "d": "delete", "x": "post.act"}

HEAD = """\
Who may do what by the built-in roles. Written by `python -m tests.identity.matrix`.

g get, l list, p put, d delete, x post.<action>; - nothing. The caller is user ann, once of tenant
acme, once of tenant operator. "region" is everything that belongs to a region. A column is one
assignment; "blue" is scoped to workspace blue, "all" of the operator's to every tenant.
"""


def _target(provider: str, resource: str, **where: object) -> Target:
    return Target(provider, resource=resource, **where)  # type: ignore[arg-type]


def _in(workspace: str, tenant: str = "acme") -> dict[str, str]:
    return {"tenant": tenant, "workspace": workspace, "region": "here"}


TARGETS = {
    "regions": _target("seca.region/v1", "regions/here", public=True),
    "a site (global, operator's)": _target("skerry.site/v1", "sites/one", operator_only=True),
    "a global thing": _target("skerry.market/v1", "offers/one"),
    "acme itself": _target("skerry.identity/v1", "tenants/acme", operator_only=True),
    "another tenant": _target("skerry.identity/v1", "tenants/zeta", operator_only=True),
    "acme: user bob": _target("skerry.identity/v1", "users/bob", tenant="acme"),
    "acme: user ann, herself": _target("skerry.identity/v1", "users/ann", tenant="acme"),
    "acme: token bob.x": _target("skerry.identity/v1", "tokens/bob.x", tenant="acme"),
    "acme: token ann.x, her own": _target("skerry.identity/v1", "tokens/ann.x", tenant="acme"),
    "acme: role": _target("seca.authorization/v1", "roles/r", tenant="acme"),
    "acme: assignment": _target("seca.authorization/v1", "role-assignments/a", tenant="acme"),
    "acme: operator's quota": _target(
        "skerry.billing/v1", "quotas/q", tenant="acme", operator_only=True
    ),
    "acme: tenant-wide thing": _target("skerry.billing/v1", "invoices/i", tenant="acme"),
    "acme: image (region)": _target("seca.storage/v1", "images/i", tenant="acme", region="here"),
    "acme/blue: workspace": _target("seca.workspace/v1", "workspaces/blue", **_in("blue")),
    "acme/red: workspace": _target("seca.workspace/v1", "workspaces/red", **_in("red")),
    "acme/blue: instance": _target("seca.compute/v1", "instances/i", **_in("blue")),
    "acme/red: instance": _target("seca.compute/v1", "instances/i", **_in("red")),
    "acme/blue: subnet": _target("seca.network/v1", "networks/n/subnets/s", **_in("blue")),
    "zeta/blue: instance": _target("seca.compute/v1", "instances/i", **_in("blue", "zeta")),
    "zeta: role": _target("seca.authorization/v1", "roles/r", tenant="zeta"),
    "operator: role": _target("seca.authorization/v1", "roles/r", tenant="operator"),
    "operator: user bob": _target("skerry.identity/v1", "users/bob", tenant="operator"),
    "operator/blue: instance": _target("seca.compute/v1", "instances/i", **_in("blue", "operator")),
}


def _principal(home: str, role: str, scope: Scope) -> Principal:
    assignment = RoleAssignmentSpec(roles=[role], subs=["ann"], scopes=[scope])
    return Principal(home, "users/ann", grants=compile_grants(home, [assignment], {}))


def _columns() -> dict[str, Principal]:
    anywhere, blue = Scope(), Scope(workspaces=["blue"])
    everywhere = Scope(tenants=["*"])
    columns = {f"acme {role}": _principal("acme", role, anywhere) for role in SYSTEM_ROLES}
    for role in ("seca.workspace-admin", "seca.workspace-editor", "seca.workspace-viewer"):
        columns[f"acme {role} blue"] = _principal("acme", role, blue)
    columns["operator seca.admin"] = _principal("operator", "seca.admin", anywhere)
    for role in SYSTEM_ROLES:
        columns[f"operator {role} all"] = _principal("operator", role, everywhere)
    return columns


def _cell(principal: Principal, target: Target) -> str:
    letters = ""
    for letter, verb in VERBS.items():
        asked = target
        if verb == "list":
            collection = target.resource.rpartition("/")[0]
            asked = replace(target, resource=collection)
        if can(principal, verb, asked):
            letters += letter
    return letters or "-"


def render() -> str:
    parts = [HEAD]
    width = max(map(len, TARGETS))
    for title, principal in _columns().items():
        parts.append(f"\n{title}\n")
        for name, target in TARGETS.items():
            parts.append(f"  {name:<{width}}  {_cell(principal, target)}\n")
    return "".join(parts)


if __name__ == "__main__":
    FILE.write_text(render())
