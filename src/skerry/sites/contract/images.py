"""``Images``: file systems and Python environments that tasks run in, brought before they start.

Bringing takes minutes and is nobody's running time: it happens before ``apply``, reports progress,
may be repeated at any moment, and what it brought is named by what it *is*, never by a tag. A
workload names the result in ``Workload.image`` and ``Workload.environment``.
"""

from collections.abc import AsyncIterator
from typing import Literal, Protocol, runtime_checkable

from skerry.sites.contract.workloads import Struct


class ImageSource(Struct, frozen=True):
    """Where an image is from: exactly one of ``reference`` and ``archive``."""

    reference: str = ""
    """As others write it: ``registry.example:5000/team/app:tag`` or ``…@sha256:<hex>``."""
    archive: str = ""
    """Digest of a blob at the site: an OCI or Docker archive, or an OCI layout as a tar file."""
    username: str = ""
    password: str = ""
    """For the registry; never stored, logged or shown."""
    digest: str = ""
    """What it must be, if that is known: another image under the name is refused
    (``ImageChanged``)."""


class EnvironmentSource(Struct, frozen=True):
    """A Python environment: the same text is the same environment."""

    requirements: str
    """A pip requirements file: names and versions. What has no wheel for this host is refused
    (``NoWheel``), because building it would run its code."""


class Progress(Struct, frozen=True):
    """How far a preparation is."""

    stage: Literal["waiting", "resolving", "pulling", "unpacking", "installing", "ready"]
    done: int = 0
    total: int = 0
    """Bytes, or packages while ``installing``; 0: not known yet."""
    message: str = ""
    digest: str = ""
    """Once ``ready``: what to put into the workload."""


@runtime_checkable
class Images(Protocol):
    """The capability to run in something else than the host's own userland.

    ``apply`` of a workload whose image or environment is no longer there is refused with
    ``MissingImage`` or ``MissingEnvironment``; the caller prepares it again. What a workload that
    has not been deleted uses is never evicted.
    """

    def prepare_image(self, source: ImageSource) -> AsyncIterator[Progress]:
        """Bring an image; the last item is ``ready`` and has the digest of its manifest."""

    def prepare_environment(self, source: EnvironmentSource) -> AsyncIterator[Progress]:
        """Bring a Python environment; the last item is ``ready`` and has its digest."""
