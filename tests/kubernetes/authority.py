"""The certificates of a control plane: one authority, the API server's, and its key to kubelets."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_Key = ec.EllipticCurvePrivateKey
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_ADDRESSES = ("127.0.0.1", "10.96.0.1")


def write(folder: Path) -> None:
    """``ca``, ``apiserver`` and ``kubelet-client`` as .crt and .key, and ``sa.key``."""
    key, name = ec.generate_private_key(ec.SECP256R1()), _name("skerry-tests")
    root = _signed(name, key, name, key, x509.BasicConstraints(ca=True, path_length=0))
    _write(folder, "ca", root, key)
    names = [x509.DNSName(text) for text in _NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in _ADDRESSES]
    for file, subject, usage, alternatives in (
        ("apiserver", _name("apiserver"), ExtendedKeyUsageOID.SERVER_AUTH, [*names, *addresses]),
        (
            "kubelet-client",
            _name("apiserver", "system:masters"),
            ExtendedKeyUsageOID.CLIENT_AUTH,
            [],
        ),
    ):
        own = ec.generate_private_key(ec.SECP256R1())
        extra: list[x509.ExtensionType] = [x509.ExtendedKeyUsage([usage])]
        if alternatives:
            extra.append(x509.SubjectAlternativeName(alternatives))
        _write(folder, file, _signed(subject, own, name, key, *extra), own)
    _private(folder / "sa.key", rsa.generate_private_key(public_exponent=65537, key_size=2048))


def _name(common: str, organisation: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _signed(
    subject: x509.Name, key: _Key, issuer: x509.Name, by: _Key, *extensions: x509.ExtensionType
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(by, hashes.SHA256())


def _write(folder: Path, name: str, certificate: x509.Certificate, key: _Key) -> None:
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / f"{name}.crt").write_bytes(pem)
    _private(folder / f"{name}.key", key)


def _private(path: Path, key: _Key | rsa.RSAPrivateKey) -> None:
    path.touch(0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
