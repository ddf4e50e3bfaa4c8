"""Training with the real torchrun: two nodes, one is killed, and they go on from the checkpoint."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Cloud

TRAIN = """
import os, signal, torch, torch.distributed as dist

dist.init_process_group("gloo")
rank, place = dist.get_rank(), os.path.join(os.environ["SKERRY_CHECKPOINT"], "step.pt")
attempt = int(os.environ["SKERRY_ATTEMPT"])
done = torch.load(place) if os.path.exists(place) else {"step": 0, "total": torch.zeros(1)}
said = f"attempt {attempt} of rank {rank} of {dist.get_world_size()} from step {done['step']}"
print(said, flush=True)
for step in range(done["step"], 6):
    part = torch.ones(1) * (rank + 1)
    dist.all_reduce(part)
    done = {"step": step + 1, "total": done["total"] + part}
    if rank == 0:
        torch.save(done, place + ".new")
        os.replace(place + ".new", place)
    dist.barrier()
    if attempt == 1 and rank == 1 and step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
print(f"total {done['total'].item():g}", flush=True)
"""
# What Debian's torch 1.13 takes on Python 3.11, where its own default is no value of its enum.
MENDED = ("-e", "PET_REDIRECTS=1:3", "-e", "PET_TEE=1:3")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("torchrun") is None, reason="no torchrun: make deps-tests")
def test_torchrun_goes_on_from_its_checkpoint(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    done = cloud.skerry(
        "run", "--name", "trained", "--nodes", "2", "--cpus", "0.8", "--memory", "1GiB",
        "--scratch", "64MiB:/scratch", "--retries", "2", "--dir", str(tmp_path), *MENDED,
        "--", "torchrun", "train.py", timeout=600,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    for rank in range(2):
        assert any(f"attempt 1 of rank {rank} of 2 from step 0" in line for line in lines)
        assert any(f"attempt 2 of rank {rank} of 2 from step 3" in line for line in lines)
    # Six steps of 1 + 2, none of them twice.
    assert [line.split("] ")[1] for line in lines if "total" in line] == ["total 18", "total 18"]
    assert "attempt 2" in done.stderr
    status = cloud.json("job", "get", "trained")["status"]
    assert (status["phase"], status["attempt"]) == ("succeeded", 2)
    cloud.skerry("job", "delete", "trained", "--yes")
