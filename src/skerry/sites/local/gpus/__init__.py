"""GPUs of this host: which there are, what a task needs to use its own, how they are.

Vendors (``nvidia`` by NVML, ``amd`` by the kernel) name the devices, slices among them. What a
task needs to use one is told by CDI specifications (``cdi``) where vendors wrote some, else made
here (``libraries``), and given in a way that fits the sandbox (``giving``): device files of its own
devices alone, the driver's libraries, variables. ``care`` looks after them while they are leased,
between leases and when they fall ill.

A host without a library, a driver or a device simply has none, and ``Gpus.driver`` says why.
"""

from skerry.sites.local.gpus.host import Gpus, find

__all__ = ["Gpus", "find"]
