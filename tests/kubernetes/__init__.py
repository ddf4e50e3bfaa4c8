"""A real Kubernetes for tests: one control plane for a run, a real node, and fleets of played ones.

The first test that asks starts a *keeper* (``keeper.py``): etcd, API server, controllers and
scheduler of Kubernetes itself; one real node (kubelet, containerd and runc, in namespaces of its
own: ``node.py``); and kwok, which plays nodes that tests make by hundreds. All listen on loopback,
keep everything in one directory, and end with the run, however it ends: the keeper watches the
run's process, and what it started dies with it. What a killed keeper left is removed by the next.

Tests of all workers share the cluster, so each keeps to its own namespaces and its own nodes:
fleets bear a label of their own. Tests of failures take ``frail``, an API server of their own on
the same etcd, or ``spare``, a node of their own.

``KUBECONFIG`` in the environment names any other cluster to use instead: then tests that need
this machine's node, its own API server or kwok are skipped.
"""
