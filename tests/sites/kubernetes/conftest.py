"""The run's cluster and its real node."""

from tests.kubernetes.fixtures import cluster, door, fleet, frail, namespace, node, spare

__all__ = ["cluster", "door", "fleet", "frail", "namespace", "node", "spare"]
