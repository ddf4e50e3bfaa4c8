"""Every kind of the real registry, and the exceptions that are granted.

What is asked here is asked of each kind, so that a product added tomorrow is asked, too, and no
test of its own can forget it.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.kernel.kinds import Kind, Registry
from skerry.kernel.paths import Path as At
from tests.harness.prices import priced
from tests.harness.samples import sample
from tests.harness.served import Served, served

REGISTRY = Registry.discover()
KINDS = REGISTRY.kinds
EXCEPTIONS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("exceptions.toml").read_text()
)

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


def excepted(what: str, name: str, fails: bool) -> bool:
    """Whether a failure is granted. A grant that is not needed any more is one itself."""
    granted = name in EXCEPTIONS[what]
    assert fails or not granted, f"exceptions.toml: [{what}] {name} is not needed any more"
    return fails and granted


def place(kind: Kind, tenant: str = "acme", workspace: str = "prod") -> At:
    """Where the tests keep resources of a kind."""
    return At(
        tenant if kind.scope != "global" else "",
        workspace if kind.scope == "workspace" else "",
        tuple("one" for _ in kind.parents),
    )


def path(kind: Kind, name: str = "", tenant: str = "acme", workspace: str = "prod") -> str:
    """The URL path of a collection, or of an item in it."""
    at = place(kind, tenant, workspace)
    values = {"tenant": at.tenant, "workspace": at.workspace}
    route = kind.route.format(**{n: values.get(n, "one") for n in kind.path_parameters})
    return f"/providers/{route}/{name}" if name else f"/providers/{route}"


@pytest.fixture(scope="package")
def cloud(_postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud with the tenants acme and other, a workspace and a user in each, a site, and who
    sends its invoices."""
    home = tmp_path_factory.mktemp("covered")
    with served(_postgres, home, prices=priced(REGISTRY)) as cloud:
        for tenant in ("acme", "other"):
            cloud.put(f"/providers/skerry.identity/v1/tenants/{tenant}")
            cloud.put(f"/providers/seca.workspace/v1/tenants/{tenant}/workspaces/prod")
            cloud.put(f"/providers/skerry.identity/v1/tenants/{tenant}/users/somebody")
        cloud.put(path(REGISTRY["seller"], "main"), sample(REGISTRY["seller"]))
        cloud.site("sim")
        yield cloud
