"""The data directory: who may enter it, the keys, what a run has left, certificates in files."""

import fcntl
import os
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from skerry.doctor import Report
from skerry.store import process
from skerry.store.errors import StoreError

SOON = timedelta(days=14)
_KEYS = ("log.key", "seal.json")
_SECONDS = 10


def look(report: Report, data: Path) -> str:
    """Everything about it. The address of the cloud that runs on it, "" for none."""
    if not data.exists():
        report.note("data", f"there is no cloud in {data}", f"skerry up --data {data}")
        return ""
    if not os.access(data, os.R_OK | os.X_OK):
        report.broken("data", f"{data} is closed to you", "Be the user whose it is, or root.")
        return ""
    _private(report, data)
    _keys(report, data)
    certificates(report, data)
    return running(report, data)


def _private(report: Report, data: Path) -> None:
    facts = data.stat()
    try:
        owner = process.launcher().owner
    except StoreError as error:
        report.broken("data", str(error), error.hint)
        return
    if facts.st_uid != os.geteuid():
        report.broken(
            "data", f"{data} belongs to user {facts.st_uid}, and you are {os.geteuid()}",
            f"Start Skerry as its owner, or: chown -R {os.geteuid()} {data}",
        )  # fmt: skip
    postgres = data / "postgres"
    if postgres.exists() and postgres.stat().st_uid != owner:
        report.broken(
            "data", f"{postgres} belongs to user {postgres.stat().st_uid}, and Postgres would run"
            f" as {owner}", f"chown -R {owner} {postgres}",
        )  # fmt: skip
    if facts.st_mode & 0o077:
        report.warning("data", f"{data} is open to other users", f"chmod 700 {data}")
    else:
        report.ok("data", f"{data} is its owner's alone")


def _keys(report: Report, data: Path) -> None:
    keys = data / "keys"
    if not keys.is_dir():
        return
    for name in _KEYS:
        if not (keys / name).exists() and (data / "postgres" / "cluster").exists():
            report.warning(
                "keys", f"{keys / name} is missing, and a new one will be made",
                "Bring it back from a copy before the next start: what it sealed or signed can't"
                " be opened or gone on with by another.",
            )  # fmt: skip
    facts = {file.name: file.stat() for file in keys.iterdir()}
    wide = [name for name, one in facts.items() if one.st_size and one.st_mode & 0o077]
    if wide:
        names = ", ".join(sorted(wide))
        report.broken("keys", f"others may read {names}", f"chmod 600 {keys}/*")
    else:
        report.ok("keys", "nobody else may read them")


def running(report: Report, data: Path) -> str:
    """Whether a server runs on it, and answers."""
    file = data / "server.json"
    try:
        told = msgspec.json.decode(file.read_bytes())
        url, pid = str(told["url"]), int(told["pid"])
    except FileNotFoundError:
        _left(report, data)
        return ""
    except (msgspec.DecodeError, KeyError, ValueError, OSError) as error:
        report.warning("server", f"{file} can't be read: {error}", f"rm {file}; skerry up")
        return ""
    if not process.alive(pid):
        report.warning(
            "server", f"{file} tells of process {pid}, which has ended without a word",
            "skerry up goes on from where it was; its log says why it ended.",
        )  # fmt: skip
        _left(report, data)
        return ""
    problem = ready(url)
    if problem:
        remedy = "Look at its log; `skerry down` and `skerry up` start it anew."
        report.broken("server", f"process {pid} at {url} is not ready: {problem}", remedy)
    else:
        report.ok("server", f"process {pid} answers at {url}")
        shown(report, url)
    return url


def shown(report: Report, url: str) -> None:
    """The certificate that a server shows, wherever it has it from."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return
    try:
        text = ssl.get_server_certificate((parts.hostname, parts.port or 443), timeout=_SECONDS)
        end = x509.load_pem_x509_certificate(text.encode()).not_valid_after_utc
    except (OSError, ValueError) as error:
        remedy = "Look at --tls-cert and --tls-key, and at the server's log."
        report.broken("certificates", f"{url} shows none that can be read: {error}", remedy)
        return
    expiry(report, f"the one that {url} shows", end, datetime.now(UTC))


def ready(url: str) -> str:
    """What is wrong with a server; "" if it can serve."""
    # Whether it lives is asked, not who it is: no secret goes there.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"{url}/readyz")  # noqa: S310 - its own address
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS, context=context):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def _left(report: Report, data: Path) -> None:
    """What holds the directory although no server runs there."""
    for name, who in (("postgres/lock", "A Skerry"), ("agent/lock", "A host agent")):
        file = data / name
        if file.exists() and _held(file):
            report.warning(
                "server", f"{who} holds {file}, though no server says that it runs",
                "It is starting or ending: look again; if it stays, end the process that"
                f" `fuser {file}` names.",
            )  # fmt: skip
            return
    report.note("server", f"none runs on {data}", f"skerry up --data {data}")


def _held(file: Path) -> bool:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def certificates(report: Report, data: Path) -> None:
    """Those that lie in files of the directory."""
    for folder in (data, data / "keys", data / "gateway", data / "tls", data / "agents"):
        for file in sorted((*folder.glob("*.pem"), *folder.glob("*.crt"))):
            certificate(report, file)


def certificate(report: Report, file: Path) -> None:
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        return
    for one in found[:1]:
        expiry(report, str(file), one.not_valid_after_utc, datetime.now(UTC))


def expiry(report: Report, name: str, end: datetime, now: datetime) -> None:
    remedy = "Renew it; `skerry up` takes the new file at its next start."
    if end <= now:
        report.broken("certificates", f"{name} expired on {end:%Y-%m-%d}", remedy)
    elif end - now < SOON:
        report.warning("certificates", f"{name} expires on {end:%Y-%m-%d}", remedy)
    else:
        report.ok("certificates", f"{name} lasts until {end:%Y-%m-%d}")
