"""What the blocking and the asynchronous client share: settings, catalogue, targets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skerry.client import catalogue, config
from skerry.client.catalogue import Catalogue, Scope
from skerry.client.config import Settings
from skerry.client.operations import Target
from skerry.client.steps import Policy
from skerry.client.wire import Wire


class Binding:
    """One cloud, as one caller sees it."""

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        tenant: str = "",
        workspace: str = "",
        context: str = "",
        ca_file: str = "",
        retries: int = 5,
        await_start: bool = True,
        catalogue_file: Path | None = None,
    ) -> None:
        given = Settings(url.rstrip("/"), token, tenant, workspace, ca_file)
        self.settings = config.resolve(given, context)
        self.policy = Policy(retries=retries, await_start=await_start)
        self.catalogue: Catalogue = catalogue.load(catalogue_file)
        self.wire = Wire(self.settings, self.catalogue.sealed)

    def target(self, noun: str, tenant: str, workspace: str, parents: Mapping[str, str]) -> Target:
        """Where calls on a kind go. Raises ``BadSetting`` for a parent it does not have."""
        kind = self.catalogue[noun]
        for word in parents:
            if word not in kind.parameters:
                raise TypeError(f"a {noun} does not live in a {word}")
        scope = Scope(tenant or self.settings.tenant, workspace or self.settings.workspace)
        return Target(kind, scope, parents, self.policy)


def envelope(
    spec: Mapping[str, Any] | None,
    labels: Mapping[str, str] | None,
    annotations: Mapping[str, str] | None,
    extensions: Mapping[str, str] | None,
    region: str,
) -> dict[str, Any]:
    """A PUT's body."""
    given = {"labels": labels, "annotations": annotations, "extensions": extensions}
    where = {"metadata": {"region": region}} if region else {}
    return {"spec": dict(spec or {}), **{k: dict(v) for k, v in given.items() if v}, **where}
