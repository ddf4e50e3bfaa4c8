"""Paths of what goes on over many resources at once: ``skerry.series``."""

from skerry.cli.common import Session
from skerry.client.catalogue import segment

BASE = "/providers/skerry.series/v1"


def room(session: Session, name: str, scope: str = "workspace") -> str:
    """The path of one of them: of a workspace, a tenant, or (empty) of everything. Raises
    ``BadSetting`` where a name is missing."""
    settings, parts = session.settings, [BASE]
    if scope:
        parts += ["tenants", segment(settings.tenant, "tenant")]
    if scope == "workspace":
        parts += ["workspaces", segment(settings.workspace, "workspace")]
    return "/".join((*parts, name))
