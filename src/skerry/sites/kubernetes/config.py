"""What a Kubernetes site is told: its ``spec.config``, and its sealed kubeconfig."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import yaml
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError
from msgspec import Meta

from skerry.sites.contract import Isolation, Refused

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z")
Positive = Annotated[int, Meta(ge=1)]


class Config(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """All of it has a default but ``image``, without which each workload must bring its own."""

    kubeconfig: str = ""
    """The text of one; empty: this server runs in the cluster, under its own account."""
    context: str = ""
    """Of the kubeconfig; empty: its current one."""
    namespace: str = "skerry"
    """Where this site keeps its own objects, and what the names of its workspaces' namespaces begin
    with. It is what tells this site's objects from another's: two sites never share one."""
    nodes: dict[str, str] = {}
    """Labels of the nodes that are this site's; empty: all."""
    image: str = ""
    """What workloads without an image run in."""
    pull_policy: str = "IfNotPresent"
    pull_secret: str = ""
    """A ``kubernetes.io/dockerconfigjson`` Secret in ``namespace``, for all images."""
    runtime_classes: dict[Isolation, str] = {}
    """RuntimeClass by isolation: ``vm`` is there only if it has one (Kata, for instance);
    ``sandbox`` without one is the cluster's own runtime."""
    user: Annotated[int, Meta(ge=1)] = 1000
    """Whom tasks run as; never root."""
    disk: Positive = 10 << 30
    """Bytes that a task may write that does not say."""
    node_disk: Positive = 100 << 30
    """Bytes for tasks at a node whose kubelet does not tell how much it has."""
    depot: Positive = 20 << 30
    """Bytes for logs and artifacts of what has ended."""
    storage_class: str = ""
    """Of the depot's volume; empty: it has none, and what it keeps is lost with its node."""
    quota: dict[str, str] = {}
    """Hard limits of each workspace's namespace, as a ResourceQuota has them."""
    allow: tuple[str, ...] = ("0.0.0.0/0", "::/0")
    """Where workloads with a network may go."""
    events: Positive = 20_000


def read(config: Mapping[str, Any]) -> Config:
    """Refused (``BadConfig``) where it can't be."""
    try:
        found = msgspec.convert(dict(config), Config)
    except msgspec.ValidationError as error:
        raise Refused("BadConfig", f"the site's config can't be read: {error}") from None
    if not _NAME.match(found.namespace):
        raise Refused("BadConfig", "namespace is 1 to 40 of a-z, 0-9 and -, as Kubernetes names it")
    if found.pull_policy not in ("Always", "IfNotPresent", "Never"):
        raise Refused("BadConfig", "pullPolicy is Always, IfNotPresent or Never")
    if "process" in found.runtime_classes:
        raise Refused("BadConfig", "a cluster has no isolation 'process': leave it out")
    if found.kubeconfig:
        cluster(found)
    return found


def cluster(config: Config) -> SingleConfig:
    """Where the cluster is and who we are there.

    A kubeconfig comes through the API and is used by the server, so it may neither name files of
    the server nor programs to run: ``kubectl config view --flatten --minify`` writes one that
    stands by itself.
    """
    if not config.kubeconfig:
        try:
            found = KubeConfig.from_service_account().get()
        except (ConfigError, KeyError):
            raise Refused(
                "BadConfig",
                "there is no kubeconfig, and this server does not run in a cluster: "
                "give the site one with --kubeconfig",
            ) from None
    else:
        found = _stated(config)
    if found is None or found.user is None:
        raise Refused("BadConfig", "the kubeconfig names no context with a user")
    return found


def _stated(config: Config) -> SingleConfig | None:
    try:
        text = yaml.safe_load(config.kubeconfig)
        found = KubeConfig.from_dict(text).get(config.context or None)
    except (ConfigError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        words = str(error).splitlines()[0] if isinstance(error, ConfigError) else "it is no such"
        raise Refused("BadConfig", f"the kubeconfig can't be read: {words}") from None
    if found is None:
        return None
    user = found.user
    away = [found.cluster.certificate_auth]
    if user is not None:
        away += [user.client_cert, user.client_key, user.token_file]
        if user.exec or user.auth_provider:
            raise Refused(
                "BadConfig",
                "the kubeconfig would run a program to sign in: give one with a token or a "
                "certificate, such as that of a ServiceAccount",
            )
    if any(away):
        raise Refused(
            "BadConfig",
            "the kubeconfig names files: write it with "
            "'kubectl config view --flatten --minify --raw'",
        )
    return found
