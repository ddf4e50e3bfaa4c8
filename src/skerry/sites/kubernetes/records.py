"""What is known of a workload, in the cluster: one ConfigMap each, in the site's home namespace.

It is there before the first pod and stays, as the memory of a deleted id, after the last. Fence,
deletion, the moment of the start and the ends of tasks are written by compare-and-set on its
resource version, so that servers that act at once agree, and one that comes later knows.
"""

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from skerry.sites.contract import Isolation, Resources, Restart, TaskStatus, Workload
from skerry.sites.kubernetes import names
from skerry.sites.kubernetes.client import ApiError, Kube
from skerry.sites.kubernetes.seen import ConfigMap

SORT = "skerry.dev/record"
_decoder = msgspec.json.Decoder(ConfigMap)


class Intent(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """What was asked for, without its secrets; never changed."""

    id: str
    digest: str
    """Of all of the workload, secrets included."""
    where: str
    """The namespace of its pods."""
    tenant: str
    tasks: int
    resources: Resources
    isolation: Isolation
    engine: str
    restart: Restart = "never"
    checked: bool = False
    """Whether it has a health check."""
    waits: bool = False
    """Whether its tasks wait to be told to go."""
    artifacts: tuple[str, ...] = ()
    image: str = ""
    nodes: tuple[str, ...] = ()
    """By rank: where the market placed it, or where we expect it."""
    pinned: bool = False
    gpus: tuple[tuple[str, ...], ...] = ()
    """By rank: the devices that are counted as taken."""
    labels: dict[str, str] = {}
    ports: tuple[int, ...] = ()
    files: tuple[tuple[str, str, int], ...] = ()
    """Path, digest and mode of each."""


class Record(msgspec.Struct, rename="camel"):
    """The whole of it."""

    id: str
    fence: int
    intent: Intent | None = None
    """None: only its deletion was ever seen."""
    deleted: bool = False
    made: bool = False
    """Whether all of its pods have been made."""
    began: datetime | None = None
    """When its tasks were told to go."""
    ended: dict[str, TaskStatus] = {}
    """By rank: what can no longer be read off its pod."""
    kept: tuple[int, ...] = ()
    """Ranks whose log and artifacts are in the depot."""
    version: str = ""
    """Of the object: for compare-and-set."""

    @property
    def number(self) -> int:
        return int(self.version or 0)


class Lost(Exception):
    """Somebody else has written it since; look again."""


def path(home: str, id: str = "") -> str:
    return f"/api/v1/namespaces/{home}/configmaps" + (f"/{names.record(id)}" if id else "")


def read(raw: bytes | msgspec.Raw) -> Record | None:
    """None where it is no record that we can read."""
    found = _decoder.decode(raw)
    text = found.data.get("record")
    if text is None:
        return None
    try:
        record = msgspec.json.decode(text, type=Record)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    record.version = found.metadata.resource_version
    return record


def _body(home: str, record: Record) -> dict[str, Any]:
    sort: Literal["deleted", "live"] = "deleted" if record.deleted else "live"
    text = msgspec.json.encode(msgspec.structs.replace(record, version=""))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": names.record(record.id),
            "namespace": home,
            "labels": names.labels(home, **{SORT: sort}),
        },
        "data": {"record": text.decode()},
    }


async def create(kube: Kube, home: str, record: Record) -> Record:
    """Raises ``Lost`` if there is one already."""
    try:
        made = read(await kube.post(path(home), _body(home, record)))
    except ApiError as error:
        if error.status == 409:
            raise Lost from None
        raise
    assert made is not None
    return made


async def replace(kube: Kube, home: str, record: Record) -> Record:
    """Write it over the version that it was read as. Raises ``Lost``."""
    body = _body(home, record)
    body["metadata"]["resourceVersion"] = record.version
    try:
        raw = await kube.call(
            "PUT", path(home, record.id), body=body, query={"fieldManager": "skerry"}
        )
    except ApiError as error:
        if error.status in (404, 409):
            raise Lost from None
        raise
    made = read(raw)
    assert made is not None
    return made


async def find(kube: Kube, home: str, id: str) -> Record | None:
    try:
        return read(await kube.get(path(home, id)))
    except ApiError as error:
        if error.status == 404:
            return None
        raise


async def forget(kube: Kube, home: str, record: Record) -> None:
    """As if it had never been: only for a start that failed."""
    await kube.delete(path(home, record.id))


def digest(workload: Workload) -> str:
    return hashlib.sha256(msgspec.json.encode(workload, order="deterministic")).hexdigest()
