"""What a site can do: the contract between Skerry and whatever runs workloads.

A driver is a folder with a ``manifest`` and a class that implements the capability protocols
the manifest declares: ``Workloads``, and as it can ``Images``, ``Volumes``, ``Reach``, ``Usage``.
The rules that every driver keeps, and that the contract suite checks:

- ``apply`` and ``delete`` are idempotent on the workload's id and carry a *fence*, a number that
  only grows. A call with an older fence than the last one seen for that id is refused with
  ``StaleFence``: a worker that lost its lease cannot undo its successor's work.
- An id means one thing for ever: ``apply`` of a known id with another spec is refused
  (``Changed``), and of a deleted id, too (``Deleted``): a late message raises no dead.
- ``list`` gives everything the driver owns and nothing else; ``delete`` removes only what it made.
- A workload starts all of its tasks or none (``Gang``); a task holds its cores, memory and devices
  from ``apply`` until it has ended. A task's exit code, end time and whole log
  survive restarts of the driver; they stay readable until ``delete``.
- A site of several machines tells them as ``nodes``. The market places by them: each task runs at
  the node and on the devices that its workload names for its rank, or nothing of it starts.
- ``watch`` yields the whole site's changes from a cursor; an expired cursor raises
  ``CursorExpired`` and the caller lists again.
- What a driver can't do it refuses with ``Refused`` and a reason in plain words; it is never
  silently weaker than asked.

Times are aware UTC datetimes of the host. Sizes are bytes, cores are thousandths of a core.
"""

from skerry.sites.contract.errors import (
    CursorExpired,
    NoRoom,
    Refused,
    SiteUnreachable,
    StaleFence,
    UnknownWorkload,
)
from skerry.sites.contract.images import EnvironmentSource, Images, ImageSource, Progress
from skerry.sites.contract.manifest import Manifest
from skerry.sites.contract.reach import Address, Reach
from skerry.sites.contract.usage import DeviceUsage, HostUsage, TaskUsage, Usage
from skerry.sites.contract.volumes import Volume, Volumes, VolumeStatus
from skerry.sites.contract.workloads import (
    Capacity,
    Event,
    File,
    FileInfo,
    Gpu,
    Health,
    Isolation,
    LogChunk,
    Mount,
    Node,
    Output,
    Port,
    Resources,
    Restart,
    Session,
    Stats,
    TaskPhase,
    TaskStatus,
    Workload,
    Workloads,
    WorkloadStatus,
)

__all__ = [
    "Address",
    "Capacity",
    "CursorExpired",
    "DeviceUsage",
    "EnvironmentSource",
    "Event",
    "File",
    "FileInfo",
    "Gpu",
    "Health",
    "HostUsage",
    "ImageSource",
    "Images",
    "Isolation",
    "LogChunk",
    "Manifest",
    "Mount",
    "NoRoom",
    "Node",
    "Output",
    "Port",
    "Progress",
    "Reach",
    "Refused",
    "Resources",
    "Restart",
    "Session",
    "SiteUnreachable",
    "StaleFence",
    "Stats",
    "TaskPhase",
    "TaskStatus",
    "TaskUsage",
    "UnknownWorkload",
    "Usage",
    "Volume",
    "VolumeStatus",
    "Volumes",
    "Workload",
    "WorkloadStatus",
    "Workloads",
]
