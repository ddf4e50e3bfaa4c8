"""A cloud's office on a real database, a mail server and a receiver of webhooks on loopback."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path as FilePath
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skerry import notices
from skerry.gateway import authority
from skerry.gateway.authority import Authority
from skerry.identity.bootstrap import first_operator
from skerry.identity.kinds import KINDS as IDENTITY
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.notices.kinds import KINDS
from skerry.notices.office import Office
from skerry.notices.settings import MailSettings, NoticeSettings
from skerry.store import Database

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
SENDER = "cloud@provider.example"


@dataclass
class PostOffice:
    """A mail server: what it took, and what it says to what it is asked."""

    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    rcpt: str = "250 OK"
    data: str = "250 OK"
    sessions: int = 0
    encrypted: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.taken.append(mail)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
            self.encrypted.append(session.ssl is not None)
        return self.data

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == b"right", handled=False)

    @asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["PostOffice"]:
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            return SMTP(
                self, loop=loop, hostname="mail.example", tls_context=tls,
                require_starttls=tls is not None,
                authenticator=self.authenticate if tls else None,
            )  # fmt: skip

        server = await loop.create_server(session, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    def settings(self, **more: Any) -> NoticeSettings:
        given = {"host": "127.0.0.1", "port": self.port, "sender": SENDER, "tls": "none"} | more
        return NoticeSettings(mail=MailSettings(**given), allowed=LOOPBACK, plain_http=True)


@dataclass
class Receiver:
    """A web server that takes webhooks: what it was sent, and what it answers."""

    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: str = "204 No Content\r\n"
    port: int = 0
    scheme: str = "http"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            headers["request"] = head[0]
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((headers, body))
            writer.write(f"HTTP/1.1 {self.answer}content-length: 0\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # who came went away
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Receiver"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        self.scheme = "https" if tls else "http"
        try:
            yield self
        finally:
            server.close()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/in?from=skerry"


@dataclass
class World:
    """A cloud with the tenant ``acme``, whose administrator has an address."""

    db: Database
    resources: Resources

    def office(self, settings: NoticeSettings) -> Office:
        """An office as it is after a start."""
        return Office(
            self.db, self.resources, settings, operator="Skerry AB", url=lambda: "https://c.example"
        )

    async def work(self, settings: NoticeSettings, looks: int = 1) -> None:
        """What an office does that was started just now."""
        office = self.office(settings)
        for _ in range(looks):
            async with asyncio.TaskGroup() as group:
                await office.look(group)

    async def post(self, **more: Any) -> bool:
        given: dict[str, Any] = {
            "topic": "invoice.issued", "tenant": "acme", "subject": "Your invoice 17",
            "text": "It is due in 14 days.\n\nThank you.",
        } | more  # fmt: skip
        async with self.db.transaction() as tx:
            return await notices.post(tx, **given)

    async def put(self, noun: str, name: str, tenant: str = "acme", **spec: Any) -> Any:
        kind, path = self.resources.registry[noun], Path(tenant, name=name)
        async with self.db.transaction() as tx:
            return await self.resources.put(tx, kind, path, {"spec": spec}, SYSTEM)

    async def act(self, resource: Resource, action: str) -> Any:
        async with self.db.transaction() as tx:
            return await self.resources.act(tx, resource, action, None, SYSTEM)

    async def get(self, noun: str, name: str, tenant: str = "acme") -> Resource:
        kind = self.resources.registry[noun]
        async with self.db.transaction() as tx:
            return await self.resources.get(tx, self.resources.ref(kind, Path(tenant, name=name)))

    async def notices(self, tenant: str = "acme") -> list[Resource]:
        kind = self.resources.registry["notice"]
        async with self.db.transaction() as tx:
            page = await self.resources.list(tx, kind, Path(tenant))
        return sorted(page.items, key=lambda notice: notice.created_at)

    async def one(self) -> Resource:
        (notice,) = await self.notices()
        return notice

    async def alerts(self) -> set[str]:
        rows = await self.db.fetch("select reason from alert where cleared_at is null")
        return {row["reason"] for row in rows}

    async def later(self, **time: float) -> None:
        await self.db.shift_clock(timedelta(**time))


@pytest.fixture
async def world(db: Database, tmp_path: FilePath) -> World:
    resources = Resources(Registry((*IDENTITY, *KINDS)), Sealer(tmp_path / "keys.json"), "here")
    async with db.transaction() as tx:
        await first_operator(tx, resources)
    world = World(db, resources)
    kind = resources.registry["tenant"]
    async with db.transaction() as tx:
        await resources.put(tx, kind, Path(name="acme"), {}, SYSTEM)
    await world.put("user", "admin", email="admin@acme.example")
    return world


@pytest.fixture
async def server() -> AsyncIterator[PostOffice]:
    async with PostOffice().open() as office:
        yield office


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().open() as found:
        yield found


@pytest.fixture
def certified(tmp_path: FilePath) -> Callable[..., tuple[ssl.SSLContext, FilePath]]:
    """A server's context with a certificate for names, and the file of whom to trust for it."""

    def made(*names: str) -> tuple[ssl.SSLContext, FilePath]:
        root = Authority(*authority.found("test"))
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subjects = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            for name in names
        ]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(x509.load_pem_x509_certificate(root.pem).subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=9))
            .add_extension(x509.SubjectAlternativeName(subjects), critical=True)
            .sign(root._key, hashes.SHA256())
        )
        file, ca = tmp_path / "server.pem", tmp_path / "ca.pem"
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        file.write_bytes(authority.private_pem(key) + pem)
        ca.write_bytes(root.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context, ca

    return made
