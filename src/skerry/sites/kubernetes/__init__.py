"""A Kubernetes cluster as a site: any conformant one from 1.30 on, from inside it or from afar.

- ``client`` makes the calls, ``watch`` keeps what nodes, pods and records are up to date, ``view``
  and ``room`` are what the site looks like by that, ``status`` says what a pod's state means.
- ``records``: what must outlive every server (fences, deleted ids, what was asked for, how it
  ended) is in ConfigMaps of the site's home namespace, written by compare-and-set.
- ``life`` makes the objects of a workload (``manifests``) and takes them away; ``duties`` are what
  must be done in between: bring files, say go to a gang, ask who is not ready, sweep.
- ``keeper/`` is a small static program, process 1 of each task. Kubernetes has no signals, no order
  of outputs, no whole logs, no files, no restart limits; the keeper has, in any image. It comes
  into the pod from a ConfigMap (``program``), and the driver talks with it by exec (``sessions``,
  ``logs``, ``files``). What is billed rests on the kubelet's word alone, since a tenant may do what
  they like inside their own pod: when a task's container began and ended.
"""

from skerry.sites.contract import Manifest
from skerry.sites.kubernetes.config import read
from skerry.sites.kubernetes.driver import Kubernetes

MANIFEST = Manifest(
    name="kubernetes",
    title="Kubernetes cluster",
    capabilities=frozenset({"Workloads"}),
    isolations=("sandbox", "vm"),
    open=Kubernetes.open,
    check=read,
    requires=("lightkube",),
)
