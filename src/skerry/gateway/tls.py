"""TLS by name: which certificate a client is shown.

A client says which name it wants before anything else (SNI). A certificate file that has the name
comes first, then what an ACME directory gave for it, then the private authority, which makes one on
the spot. For a name that no route has there is none, and the handshake ends: nobody learns what
else is here, and nobody makes us issue certificates for names of theirs. A client that gives no
name gets the file's certificate, if there is one.

Keys never touch the disk here but in the operator's own file; OpenSSL reads them from memory.
"""

import os
import ssl
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from skerry.gateway.alpn import Answers
from skerry.gateway.authority import Authority
from skerry.gateway.proxy import offer_http2
from skerry.gateway.table import Table

_log = structlog.get_logger("gateway")
MOST = 2000
"""Contexts that are kept ready."""


@dataclass(frozen=True)
class Pair:
    """A certificate chain and its key, in PEM."""

    chain: bytes
    key: bytes
    not_after: datetime

    @property
    def expired(self) -> bool:
        return self.not_after <= datetime.now(UTC)


def pair_of(chain: bytes, key: bytes) -> Pair:
    """Raises ValueError for what is no certificate."""
    return Pair(chain, key, x509.load_pem_x509_certificate(chain).not_valid_after_utc)


def context_of(pair: Pair | None, *, http2: bool = True) -> ssl.SSLContext:
    """A server's context, TLS 1.2 at least. Raises ``ssl.SSLError`` if chain and key don't belong
    together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if http2:
        offer_http2(context)
    if pair is not None:
        chain, key = _in_memory(pair.chain), _in_memory(pair.key)
        try:
            context.load_cert_chain(f"/proc/self/fd/{chain}", f"/proc/self/fd/{key}")
        finally:
            os.close(chain)
            os.close(key)
    return context


def _in_memory(text: bytes) -> int:
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    os.write(descriptor, text)
    return descriptor


class CertificateFile:
    """The operator's certificate, read again when it changes."""

    def __init__(self, chain: Path, key: Path, *, http2: bool = True) -> None:
        """Raises OSError, ``ssl.SSLError`` or ValueError if it can't be used at all."""
        self._http2 = http2
        self._chain = chain
        self._key = key
        self.problem = ""
        """Why a newer version can't be used; empty: all is well."""
        self._read()

    def _read(self) -> None:
        self._stamp = self._changed()
        self.pair = pair_of(self._chain.read_bytes(), self._key.read_bytes())
        self.context = context_of(self.pair, http2=self._http2)
        certificate = x509.load_pem_x509_certificate(self.pair.chain)
        self.names = _names(certificate)

    def _changed(self) -> tuple[int, ...]:
        return tuple(
            part
            for file in (self._chain, self._key)
            for part in (file.stat().st_mtime_ns, file.stat().st_ino)
        )

    def look(self) -> bool:
        """Read it if it changed; whether it did. One that can't be used changes nothing."""
        try:
            if self._changed() == self._stamp:
                return False
            self._read()
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            self.problem = str(error)
            return False
        self.problem = ""
        return True

    def covers(self, host: str) -> bool:
        return host in self.names or f"*.{host.partition('.')[2]}" in self.names


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(name.lower() for name in found.value.get_values_for_type(x509.DNSName))


class Certificates:
    """Gives each handshake its context."""

    def __init__(
        self,
        table: Table,
        file: CertificateFile | None = None,
        authority: Authority | None = None,
    ) -> None:
        self.file = file
        self._authority = authority
        self._table = table
        self.answers = Answers(lambda chain, key: context_of(pair_of(chain, key)))
        """For directories that ask by TLS."""
        self._ordered: dict[str, Pair] = {}
        self._ready: OrderedDict[str, tuple[Pair, ssl.SSLContext]] = OrderedDict()

    def server(self) -> ssl.SSLContext:
        """What to listen with."""
        context = context_of(self.file.pair if self.file else None)
        context.sni_callback = self._choose
        self.answers.watch(context)
        return context

    def put(self, host: str, pair: Pair) -> None:
        """A certificate from a directory."""
        self._ordered[host] = pair

    def keep(self, hosts: Iterable[str]) -> None:
        """Forget those of other hosts."""
        wanted = set(hosts)
        for host in [host for host in self._ordered if host not in wanted]:
            del self._ordered[host]

    def ordered(self, host: str) -> Pair | None:
        return self._ordered.get(host)

    def _choose(
        self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> int | None:
        if name is None:
            if self.file is not None:
                connection.context = self.file.context
            return None
        try:
            if self.answers.asked(connection):
                found = self.answers.context(name.lower())
            else:
                found = self._context(name.lower())
        except (ValueError, OSError) as error:
            _log.error("no certificate", host=name, error=str(error))
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        if found is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = found
        return None

    def _context(self, host: str) -> ssl.SSLContext | None:
        if self.file is not None and self.file.covers(host):
            return self.file.context
        if self._table.find(host) is None:
            return None
        pair = self._ordered.get(host)
        if pair is None and self._authority is not None:
            return self._made(host, self._authority)
        return self._kept(host, lambda: pair) if pair is not None else None

    def _made(self, host: str, authority: Authority) -> ssl.SSLContext | None:
        known = self._ready.get(host)
        if known is not None and authority.lasts(known[0].not_after):
            return known[1]
        return self._kept(host, lambda: pair_of(*authority.issue(host)))

    def _kept(self, host: str, make: Callable[[], Pair | None]) -> ssl.SSLContext | None:
        pair = make()
        if pair is None:
            return None
        known = self._ready.get(host)
        if known is None or known[0] is not pair:
            known = self._ready[host] = (pair, context_of(pair))
        self._ready.move_to_end(host)
        while len(self._ready) > MOST:
            self._ready.popitem(last=False)
        return known[1]
