"""What the tasks of a gang are told so that they find each other.

The names are those that torch.distributed reads (``RANK``, ``MASTER_ADDR``, …), and those that
``torchrun`` takes for the flags it was not given (``PET_NNODES`` for ``--nnodes``, …), so that both
run unmodified: one ``torchrun`` in each task, meeting at the first task's. A driver gives these
variables to workloads of several tasks, sees to it that the addresses in them are reachable by the
tasks of that workload, and by nobody else, and lets the workload's own variables win over them.
"""

from collections.abc import Mapping

from skerry.sites.contract.workloads import Workload

PORT = 29500
"""Where the tasks meet, unless the driver says otherwise; the first task listens there."""


def variables(
    workload: Workload, rank: int, *, master: str, local: str, port: int = PORT, interface: str = ""
) -> dict[str, str]:
    """For the task of that rank. ``master`` is a name or address of the first task, ``local`` one
    of this task, ``interface`` the one that leads to the others, where that is not plain."""
    gpus = workload.resources.gpus
    workers = {"PET_NPROC_PER_NODE": str(gpus)} if gpus > 1 else {}
    if workload.tasks == 1:
        return workers
    found = {
        "MASTER_ADDR": master,
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "WORLD_SIZE": str(workload.tasks),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "NODE_RANK": str(rank),
        "NNODES": str(workload.tasks),
        "PET_NNODES": str(workload.tasks),
        "PET_NODE_RANK": str(rank),
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": f"{master}:{port}",
        "PET_RDZV_ID": workload.id,
        "PET_LOCAL_ADDR": local,
    }
    if interface:
        found |= {"GLOO_SOCKET_IFNAME": interface, "NCCL_SOCKET_IFNAME": interface}
    return {**found, **workers}


def given(workload: Workload, gang: Mapping[str, str]) -> dict[str, str]:
    """The variables of a gang as its workload has them: its own win."""
    return {**gang, **workload.env, **workload.secret_env}
