"""Certificates from an ACME directory: ordered, kept, renewed.

Each name that a route has, and no certificate file vouches for, has a row. Whoever takes a row's
lease orders; the lease runs out by itself, so a killed gateway holds nothing up, and what comes of
an order whose lease was lost is thrown away. A gateway makes one order at a time. Certificates are
renewed after two thirds of their life.

A failure is written down where the route shows it, and the next try comes later each time, with no
more than four in the first hour: directories shut out who fails more often, and one that asks to be
left alone is. What the directory asks is answered by any gateway, since the answers are in the
database: where plain HTTP is taken (HTTP-01), and where it is not, in the greeting of TLS
(TLS-ALPN-01).
"""

import asyncio
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography import x509

from skerry.gateway.directory import Challenge, Directory, Order, OrderFailed, new_account_key
from skerry.gateway.table import Table
from skerry.gateway.tls import Certificates, pair_of
from skerry.kernel import alerts
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.kernel.resources import Resources
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.gateway", "ordering.sql")
_keys = load("skerry.gateway", "keys.sql")
_log = structlog.get_logger("gateway")

LEASE = 600.0
FIRST_PAUSE, LONGEST_PAUSE = 300.0, 86_400.0
LOOK = 2.0
"""Seconds between two looks at what is due and what others have ordered."""
SOON = timedelta(days=7)
"""A certificate that ends so soon and is not renewed raises an alert."""
_TLS = "tls "
"""What the token of a challenge begins with that is answered by TLS; its name follows."""
PREFIX = "/.well-known/acme-challenge/"


class Ordering:
    """Keeps the certificates of a gateway's names."""

    def __init__(
        self,
        db: Database,
        resources: Resources,
        table: Table,
        certificates: Certificates,
        url: str,
        *,
        email: str = "",
        ca: Path | None = None,
        by_tls: bool = False,
        first_pause: float = FIRST_PAUSE,
        wants: Callable[[str], bool] = lambda host: True,
    ) -> None:
        self._db = db
        self._resources = resources
        self._table = table
        self._certificates = certificates
        self._url = url
        self._email = email
        self._ca = ca
        self._by_tls = by_tls
        self._first_pause = first_pause
        self._wants = wants
        self._me = uuid.uuid4()
        self._directory: Directory | None = None
        self._loaded: dict[str, datetime] = {}

    async def run(self) -> None:
        """Order and renew until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(self.refresh))
            group.create_task(self._again(self.order_due))

    async def _again(self, work: Callable[[], object]) -> None:
        while True:
            try:
                await work()  # type: ignore[misc]
            except DATABASE_ERRORS as error:
                _log.warning("certificates wait for the database", error=str(error))
            await asyncio.sleep(LOOK)

    def names(self) -> list[str]:
        """The names that need a certificate from here."""
        return sorted({h for route in self._table.all() for h in route.hosts if self._wants(h)})

    async def refresh(self) -> None:
        """Take in what this or another gateway has ordered."""
        names = self.names()
        if self._by_tls:
            rows = await self._db.fetch(_sql.challenges_by_tls)
            self._certificates.answers.become({row["host"]: row["answer"] for row in rows})
        await self._db.execute(_sql.want, names)
        for row in await self._db.fetch(_sql.known, names):
            if self._loaded.get(row["host"]) == row["not_after"]:
                continue
            async with self._db.transaction() as tx:
                found = await tx.fetchrow(_sql.get, row["host"])
                if found is None or found["sealed_key"] is None:
                    continue
                key = await self._resources.sealer.unwrap(
                    tx, OPERATOR_TENANT, f"certificate/{row['host']}", found["sealed_key"]
                )
            self._certificates.put(row["host"], pair_of(found["chain"].encode(), key))
            self._loaded[row["host"]] = row["not_after"]
        self._certificates.keep(names)
        for host in self._loaded.keys() - set(names):
            del self._loaded[host]

    async def order_due(self) -> None:
        """Order what is due, one after the other."""
        while row := await self._db.fetchrow(_sql.claim, self.names(), self._me, LEASE):
            host, tries = row["host"], row["tries"]
            try:
                chain, key = await self._order(host)
            except OrderFailed as failed:
                await self._failed(host, tries + 1, failed)
            else:
                await self._done(host, chain, key)

    async def _order(self, host: str) -> tuple[bytes, bytes]:
        directory = await self._signed_in()
        order: Order = await asyncio.to_thread(directory.order, host, by_tls=self._by_tls)
        asked = await asyncio.to_thread(order.begin)
        if self._by_tls:
            asked = [Challenge(f"{_TLS}{host}", challenge.answer) for challenge in asked]
        await self._serve(asked)
        try:
            return await asyncio.to_thread(order.finish)
        finally:
            tokens = [challenge.token for challenge in asked]
            await self._db.execute(_sql.drop_challenges, tokens)

    async def _serve(self, asked: list[Challenge]) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(_sql.sweep_challenges)
            await tx.execute(_sql.drop_challenges, [challenge.token for challenge in asked])
            for challenge in asked:
                await tx.execute(_sql.put_challenge, challenge.token, challenge.answer, LEASE)
        if asked and self._by_tls:
            # Every gateway has to know before the directory asks one of them.
            await self.refresh()
            await asyncio.sleep(2 * LOOK)

    async def _signed_in(self) -> Directory:
        if self._directory is None:
            key = await self._account_key()
            self._directory = Directory(self._url, key, email=self._email, ca=self._ca)
        return self._directory

    async def _account_key(self) -> bytes:
        name = f"acme {self._url}"
        fresh = await asyncio.to_thread(new_account_key)
        sealer = self._resources.sealer
        async with self._db.transaction() as tx:
            await tx.execute(_keys.lock, name)
            row = await tx.fetchrow(_keys.get, name)
            if row is not None:
                return await sealer.unwrap(tx, OPERATOR_TENANT, f"gateway/{name}", row["sealed"])
            sealed = await sealer.wrap(tx, OPERATOR_TENANT, f"gateway/{name}", fresh)
            await tx.execute(_keys.put, name, sealed, "")
            return fresh

    async def _done(self, host: str, chain: bytes, key: bytes) -> None:
        certificate = x509.load_pem_x509_certificate(chain)
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        renew = begin + (end - begin) * (0.6 + random.random() * 0.066)  # noqa: S311
        async with self._db.transaction() as tx:
            sealed = await self._resources.sealer.wrap(
                tx, OPERATOR_TENANT, f"certificate/{host}", key
            )
            await tx.execute(_sql.done, host, self._me, chain.decode(), sealed, end, renew)
            await alerts.clear(tx, f"certificate {host}")
        await self.refresh()

    async def _failed(self, host: str, tries: int, failed: OrderFailed) -> None:
        # Whatever was wrong with the account, it is asked for anew.
        self._directory = None
        pause = min(self._first_pause * 2 ** (tries - 1), LONGEST_PAUSE)
        pause = max(pause, failed.pause)
        _log.warning("no certificate", host=host, tries=tries, problem=str(failed))
        async with self._db.transaction() as tx:
            await tx.execute(_sql.failed, host, self._me, str(failed), pause)
            row = await tx.fetchrow(_sql.get, host)
            if row is not None and (tries >= 3 or _ends(row["not_after"], await tx.now())):
                await _alert(tx, host, str(failed), row["not_after"])

    async def challenge(self, token: str) -> bytes | None:
        """What the directory is to be answered, whichever gateway it asks."""
        if len(token) > 128:
            return None
        answer: str | None = await self._db.fetchval(_sql.challenge, token)
        return answer.encode() if answer is not None else None


def _ends(not_after: datetime | None, now: datetime) -> bool:
    return not_after is not None and not_after - now < SOON


async def _alert(tx: Tx, host: str, problem: str, not_after: datetime | None) -> None:
    ends = f", and its certificate ends at {not_after:%Y-%m-%d %H:%M} UTC" if not_after else ""
    await alerts.raise_alert(
        tx,
        subject=f"certificate {host}",
        reason="certificate-not-renewed" if not_after else "certificate-not-given",
        message=f"The directory gives no certificate for {host}: {problem}{ends}.",
        remedy=f"See that {host} leads to the gateway's plain HTTP port from where the directory "
        "is, or take the name from its route. It is tried again by itself.",
    )
