"""A certificate authority of the cloud's own, for networks where no public one reaches.

Its key is made once, sealed in the database, and shared by all gateways; its certificate is public,
to be trusted by whoever uses the cloud (``skerry route ca``). Certificates of routes are made when
a client first asks for the name, last a month, and are kept in memory only.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skerry.kernel.paths import OPERATOR_TENANT
from skerry.kernel.resources import Resources
from skerry.sites.authority import self_signed
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.gateway", "keys.sql")

LIFE = timedelta(days=3650)
LEAF = timedelta(days=30)
RENEW = timedelta(days=10)
EARLY = timedelta(hours=1)
"""How much earlier than now a certificate begins: clocks differ."""
_NAME = "authority"


class Authority:
    """Vouches for names."""

    def __init__(self, certificate: bytes, key: bytes) -> None:
        self.pem = certificate
        self._certificate = x509.load_pem_x509_certificate(certificate)
        loaded = serialization.load_pem_private_key(key, None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key = loaded

    @property
    def not_after(self) -> datetime:
        return self._certificate.not_valid_after_utc

    def lasts(self, not_after: datetime) -> bool:
        """Whether a certificate is good for a while yet."""
        return not_after - datetime.now(UTC) > RENEW

    def issue(self, host: str, *more: str) -> tuple[bytes, bytes]:
        """A new certificate for these names and addresses with its chain, and its key, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - EARLY)
            .not_valid_after(min(now + LEAF, self.not_after))
            .add_extension(
                x509.SubjectAlternativeName(list(map(_called, (host, *more)))), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM) + self.pem, private_pem(key)


def _called(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def found(operator: str) -> tuple[bytes, bytes]:
    """A new authority: its certificate and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    certificate = (
        self_signed(f"Skerry of {operator}", key, now - EARLY, now + LIFE)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private_pem(key)


async def opened(db: Database, resources: Resources, operator: str) -> Authority:
    """The cloud's authority, founded now if there was none."""
    sealer = resources.sealer
    async with db.transaction() as tx:
        await tx.execute(_sql.lock, _NAME)
        row = await tx.fetchrow(_sql.get, _NAME)
        if row is None:
            certificate, key = found(operator)
            sealed = await sealer.wrap(tx, OPERATOR_TENANT, f"gateway/{_NAME}", key)
            await tx.execute(_sql.put, _NAME, sealed, certificate.decode())
            return Authority(certificate, key)
        key = await sealer.unwrap(tx, OPERATOR_TENANT, f"gateway/{_NAME}", row["sealed"])
        return Authority(row["public"].encode(), key)


async def certificate(db: Database) -> bytes | None:
    """The authority's certificate in PEM, for whoever wants to trust it; None: there is none."""
    row = await db.fetchrow(_sql.get, _NAME)
    return row["public"].encode() if row is not None else None
