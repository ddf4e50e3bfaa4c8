"""What a task's keeper is told: ``key=value`` texts, each ended by a NUL (``keeper/common.c``)."""

from skerry.sites.contract import Workload

WORK = "/work"


def _micros(seconds: float) -> str:
    return str(int(min(seconds, 1e10) * 1_000_000))


def encode(workload: Workload, command: tuple[str, ...], directory: str, waits: bool) -> bytes:
    """The same for every task of the workload; what differs by rank is in the pod."""
    told: list[tuple[str, str]] = [("command", word) for word in command]
    variables = {**workload.env, **workload.secret_env}
    told += [("env", f"{name}={value}") for name, value in variables.items()]
    told += [
        ("policy", workload.restart[0] if workload.restart != "on-failure" else "f"),
        ("most", str(workload.max_restarts)),
        ("limit", _micros(workload.time_limit)),
        ("grace", _micros(workload.grace)),
        ("log", str(workload.log_bytes)),
        ("wait", str(int(waits))),
    ]
    if directory:
        told.append(("directory", directory))
    check = workload.health
    if check is not None:
        told += [("check", word) for word in check.command]
        if check.path:
            told.append(("path", check.path))
        told += [
            ("port", str(check.port)),
            ("failures", str(check.failures)),
            ("heal", str(int(check.restart))),
            ("every", _micros(check.every)),
            ("timeout", _micros(check.timeout)),
            ("start", _micros(check.start)),
        ]
    return b"".join(f"{key}={value}".encode() + b"\0" for key, value in told)
