"""Check on this machine that a job computes on its leased GPU alone: ``make gpu-check``.

For each device and each engine of sandboxes that works here, a task is given that device. In its
sandbox it lists the device files, asks CUDA's driver for the devices that it has and for their
UUIDs, fills memory of the device and reads it back, and multiplies matrices with PyTorch where the
machine's Python has it. Prints a line for each and ends with 0 only if all did what they should;
with 2 if there is no device here.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from skerry.sites.contract import Gpu, Refused, Resources, Workload, WorkloadStatus
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver

PATIENCE = 240.0
MEMORY = 8 << 30

CUDA = """
import ctypes, glob, json, uuid
found = {"files": sorted(glob.glob("/dev/nvidia[0-9]*"))}
cuda = ctypes.CDLL("libcuda.so.1")
def ask(name, *args):
    code = getattr(cuda, name)(*args)
    if code:
        raise SystemExit(f"{name} says {code}")
ask("cuInit", 0)
count = ctypes.c_int()
ask("cuDeviceGetCount", ctypes.byref(count))
found["uuids"] = []
for number in range(count.value):
    device, own = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    ask("cuDeviceGet", ctypes.byref(device), number)
    ask("cuDeviceGetUuid_v2", own, device)
    found["uuids"].append(str(uuid.UUID(bytes=bytes(own))))
context, place = ctypes.c_void_p(), ctypes.c_uint64()
ask("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
ask("cuCtxSetCurrent", context)
size = 256 << 20
ask("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(size))
ask("cuMemsetD8_v2", place, ctypes.c_ubyte(42), ctypes.c_size_t(size))
ask("cuCtxSynchronize")
back = (ctypes.c_ubyte * 16)()
ask("cuMemcpyDtoH_v2", back, ctypes.c_uint64(place.value + size - 16), ctypes.c_size_t(16))
found["computed"] = bytes(back) == bytes([42] * 16)
ask("cuMemFree_v2", place)
print(json.dumps(found))
"""
TORCH = """
import json, torch
a = torch.full((2048, 2048), 2.0, device="cuda")
total = (a @ a).sum().item()
own = str(torch.cuda.get_device_properties(0).uuid)
print(json.dumps({"uuids": [own], "count": torch.cuda.device_count(),
                  "computed": total == 2048**3 * 4.0, "torch": torch.__version__}))
"""


def torch_of_the_host() -> tuple[str, str] | None:
    """The Python that has PyTorch, and the directory that it has it in."""
    for python in dict.fromkeys((sys.executable, shutil.which("python3") or sys.executable)):
        program = "import torch, os; print(os.path.dirname(os.path.dirname(torch.__file__)))"
        said = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            return os.path.realpath(python), said.stdout.strip()
    return None


async def said(site: LocalDriver, gpu: Gpu, program: str, more: dict[str, Any]) -> dict[str, Any]:
    """What a task on the device prints; raises ``Refused`` and ``ValueError``."""
    work = Workload(
        id=f"check-{uuid.uuid4().hex[:12]}",
        tenant="check",
        command=(more.get("python", "python3"), "-c", program),
        resources=Resources(millicores=1000, memory=MEMORY, gpus=1, gpu_model=gpu.sku),
        devices=((gpu.uuid,),),
        env=more.get("env", {}),
    )
    status = await site.apply(work, 1)
    async with asyncio.timeout(PATIENCE):
        cursor, held = await site.list()
        status = next(one for one in held if one.id == work.id)
        events = site.watch(cursor)
        while not status.ended:
            event = await anext(events)
            if event.id == work.id and event.status is not None:
                status = event.status
    text = b"".join([chunk.data async for chunk in site.logs(work.id, 0)]).decode()
    await site.delete(work.id, 2)
    return answer(status, text, gpu)


def answer(status: WorkloadStatus, text: str, gpu: Gpu) -> dict[str, Any]:
    [task] = status.tasks
    if task.exit_code != 0 or task.gpus != (gpu.uuid,):
        raise ValueError(f"{task.reason} {task.message} {text.strip()[-400:]}".strip())
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


def wrong(found: dict[str, Any], gpu: Gpu) -> str:
    """What is not as it should be; empty if all is."""
    own = gpu.uuid.removeprefix("GPU-").removeprefix("MIG-")
    if [one.removeprefix("GPU-") for one in found["uuids"]] != [own]:
        return f"it sees {found['uuids']}"
    if len(found.get("files", ["one"])) != 1:
        return f"it has the device files {found['files']}"
    return "" if found["computed"] else "it computes wrongly"


async def check(engine: str, directory: Path) -> tuple[int, int]:
    """Lines for all devices in one engine: how many were looked at, how many were well."""
    torch = torch_of_the_host()
    binds = [torch[1]] if torch and not torch[1].startswith("/usr/") else []
    config = {"data": str(directory / engine), "engines": [engine], "binds": binds}
    site = LocalDriver(read({**config, "reserveMemory": 0}))
    looked = well = 0
    try:
        room = await site.capacity()
        if not room.gpus:
            print(f"no GPU here: {room.engines['gpus']}")
            return 0, 0
        if "sandbox" not in room.isolations:
            print(f"{engine}: not usable here: {room.engines[engine]}")
            return 0, 0
        for gpu in room.gpus:
            for name, program in (("cuda", CUDA), *((("torch", TORCH),) if torch else ())):
                more = {}
                if name == "torch" and torch:
                    more = {"python": torch[0], "env": {"PYTHONPATH": torch[1]}}
                looked += 1
                try:
                    found = await said(site, gpu, program, more)
                    trouble = gpu.sick or wrong(found, gpu)
                except (Refused, ValueError, TimeoutError) as error:
                    found, trouble = {}, str(error) or "it took too long"
                well += not trouble
                words = trouble or f"its own device alone {found.get('torch', '')}".rstrip()
                print(f"{engine} {name} {gpu.sku} {gpu.uuid}: {words}")
    finally:
        await site.close()
    return looked, well


def main() -> int:
    parser = argparse.ArgumentParser(description="Check GPUs in sandboxes on this machine.")
    parser.add_argument("--engine", action="append", choices=("runc", "bubblewrap"), default=[])
    given = parser.parse_args()
    looked = well = 0
    with tempfile.TemporaryDirectory(prefix="skerry-gpus-") as directory:
        for engine in given.engine or ("runc", "bubblewrap"):
            some, good = asyncio.run(check(engine, Path(directory)))
            looked, well = looked + some, well + good
    print(f"{well} of {looked} checks passed")
    return 2 if not looked else int(well < looked)


if __name__ == "__main__":
    sys.exit(main())
