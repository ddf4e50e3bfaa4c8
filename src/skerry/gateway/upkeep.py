"""What is looked at now and then, and said: certificates that end, a spool that is stuck."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from skerry.gateway.authority import Authority
from skerry.gateway.certificates import AUTHORITY
from skerry.gateway.tls import CertificateFile, Certificates
from skerry.kernel import alerts
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.gateway", "upkeep.sql")

SOON = timedelta(days=14)
_FILE = "gateway certificate file"
_SPOOL = "gateway metering"


async def record(db: Database, file: CertificateFile | None, own: Authority | None) -> None:
    """Write down what vouches for names beside a directory."""
    async with db.transaction() as tx:
        await tx.execute(_sql.forget)
        if file is not None:
            for name in sorted(file.names):
                await tx.execute(_sql.record, name, "file", file.pair.not_after)
        if own is not None:
            await tx.execute(_sql.record, AUTHORITY, "authority", own.not_after)


async def look(db: Database, certificates: Certificates | None) -> None:
    """Read the certificate file again if it changed, and say when one ends."""
    file = certificates.file if certificates is not None else None
    if file is not None:
        if file.look():
            async with db.transaction() as tx:
                await tx.execute(_sql.forget_file)
                for name in sorted(file.names):
                    await tx.execute(_sql.record, name, "file", file.pair.not_after)
        async with db.transaction() as tx:
            await about_file(tx, file, _FILE, "The gateway's")
    async with db.transaction() as tx:
        for row in await tx.fetch(_sql.ending, timedelta(days=7)):
            await _ending(tx, row["host"], row["not_after"], row["problem"])
        for row in await tx.fetch(_sql.moot):
            await alerts.clear(tx, row["subject"])


async def sweep(db: Database) -> None:
    """Forget the certificates of names that no route has any more."""
    await db.execute(_sql.forget_moot)


async def about_file(tx: Tx, file: CertificateFile, subject: str, whose: str) -> None:
    """Raise what is wrong with a certificate file as alerts, and clear what is right again."""
    end, now = file.pair.not_after, await tx.now()
    if file.problem:
        await alerts.raise_alert(
            tx,
            subject=subject,
            reason="certificate-unreadable",
            message=f"{whose} certificate file changed and can't be used: {file.problem}. "
            "The one before it is in use.",
            remedy="Write certificate and key that belong together, in PEM.",
        )
    else:
        await alerts.clear(tx, subject, "certificate-unreadable")
    if end - now < SOON:
        await alerts.raise_alert(
            tx,
            subject=subject,
            reason="certificate-ends",
            message=f"{whose} certificate {'has ended' if end <= now else 'ends'} at "
            f"{end:%Y-%m-%d %H:%M} UTC.",
            remedy="Write a newer one to the same files: it is taken up by itself.",
        )
    else:
        await alerts.clear(tx, subject, "certificate-ends")


async def _ending(tx: Tx, host: str, end: datetime, problem: str) -> None:
    await alerts.raise_alert(
        tx,
        subject=f"certificate {host}",
        reason="certificate-not-renewed",
        message=f"The certificate of {host} ends at {end:%Y-%m-%d %H:%M} UTC and could not be "
        f"renewed{': ' + problem if problem else ''}.",
        remedy=f"See that {host} leads to the gateway's plain HTTP port from where the directory "
        "is. It is tried again by itself.",
    )


async def metering(db: Database, problem: str) -> None:
    """Say that nothing can be spooled, or that it can again."""
    if not problem and not await db.fetchval(_sql.stuck, _SPOOL):
        return
    async with db.transaction() as tx:
        if not problem:
            await alerts.clear(tx, _SPOOL)
            return
        await alerts.raise_alert(
            tx,
            subject=_SPOOL,
            reason="metering-not-kept",
            message=f"What the gateway counts can't be written to disk: {problem}. Requests are "
            "served; what they used is kept in memory, and lost if the server ends.",
            remedy="Free disk space below the data directory; it catches up by itself.",
        )


async def ports(db: Database, gateway: str, faults: Mapping[int, str]) -> None:
    """Say which ports of TCP routes can't be listened on, and why."""
    begin = f"gateway {gateway} port "
    known = {row["subject"] for row in await db.fetch(_sql.open_ports, begin)}
    found = {f"{begin}{port}": (port, why) for port, why in faults.items()}
    if known == found.keys():
        return
    async with db.transaction() as tx:
        for subject in known - found.keys():
            await alerts.clear(tx, subject)
        for subject in found.keys() - known:
            port, why = found[subject]
            await alerts.raise_alert(
                tx,
                subject=subject,
                reason="port-not-open",
                message=f"The gateway can't listen on port {port}, which a route has: {why}.",
                remedy="End the program that has the port, or give the gateway others with "
                "--gateway-tcp. It is tried again by itself.",
            )
