"""For commands that follow something for long."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.client.sync import KindClient


def patient(client: "KindClient") -> "KindClient":
    """Calls that outlast a restart of the cloud: whoever follows a job wants its end."""
    from skerry.client.streams import PATIENCE
    from skerry.client.sync import KindClient

    return KindClient(client.client, client.target._replace(policy=PATIENCE))
