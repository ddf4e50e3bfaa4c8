"""Jobs in few words: from what a person says to a job's document."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from skerry.client import operations, upload
from skerry.client.operations import Target
from skerry.client.resource import Resource
from skerry.client.steps import Op
from skerry.client.units import parse_bytes, parse_millicores, parse_seconds

_LETTERS = "bcdfghjkmnpqrstvwxz23456789"


def fresh_name(prefix: str = "run") -> str:
    """A name nobody has: short, without vowels, so that it spells nothing."""
    return f"{prefix}-" + "".join(secrets.choice(_LETTERS) for _ in range(8))


def job_spec(
    command: Sequence[str],
    *,
    cpus: str | int | float | Decimal = 1,
    memory: str | int = "",
    gpus: int = 0,
    gpu_model: str = "",
    count: int = 1,
    env: Mapping[str, str] | None = None,
    secret_env: Mapping[str, str] | None = None,
    artifacts: Sequence[str] = (),
    retries: int = 0,
    time_limit: str | int = 0,
    grace: str | int = 0,
    isolation: str = "",
    network: bool = False,
    site: str = "",
    region: str = "",
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A job's spec. What is left at its default is left out, so the cloud's defaults count.
    ``more`` are fields as the spec has them, laid over the rest.

    ``cpus`` are cores of each task (``0.5``), ``memory`` is bytes or ``2GiB``, ``time_limit``
    and ``grace`` seconds or ``10m``. Raises ``BadSetting`` where one can't be read.
    """
    limit = parse_seconds(time_limit)
    chosen: dict[str, Any] = {
        "memory": parse_bytes(memory) if memory else None,
        "gpus": gpus,
        "gpuModel": gpu_model,
        "count": None if count == 1 else count,
        "env": dict(env or {}),
        "secretEnv": dict(secret_env or {}),
        "artifacts": list(artifacts),
        "retries": retries,
        "timeLimit": limit,
        "grace": parse_seconds(grace),
        "isolation": isolation,
        "network": network,
        "site": site,
        "region": region,
    }
    spec = {"command": list(command), "millicores": parse_millicores(cpus)}
    return {**spec, **{k: v for k, v in chosen.items() if v}, **(more or {})}


def start(
    target: Target,
    name: str,
    spec: Mapping[str, Any],
    *,
    folder: Path | None = None,
    labels: Mapping[str, str] | None = None,
    told: Callable[[upload.Sent], object] | None = None,
) -> Op[Resource]:
    """Bring the folder, then create the job. Nothing is created if the upload fails."""
    whole = dict(spec)
    if folder is not None:
        inputs = yield from upload.upload(folder, target.scope, target.policy, told)
        whole["inputs"] = [*whole.get("inputs", []), *inputs]
    body: dict[str, Any] = {"spec": whole}
    if labels:
        body["labels"] = dict(labels)
    made = yield from operations.put(target, name, body)
    return made
