"""The operator's key and what it signs: C2SP signed notes and checkpoints.

The key is one line in a file of mode 0600, in the form that Go's ``note`` package writes:
``PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>``. A file that group or others can read is
refused: whoever has the key can sign another history.
"""

import base64
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skerry.durable import flush
from skerry.proof.verify import COSIGNATURE, ED25519, NAME, Checkpoint, Key, unbase64
from skerry.store.errors import StoreError

_PREFIX = "PRIVATE+KEY"


class KeyFileError(StoreError):
    """The key file cannot be used. The message says why and what to do."""


def origin(operator: str) -> str:
    """The log's name, and its key's: ``skerry/<operator name>``."""
    name = f"skerry/{operator}"
    if not operator or not NAME.fullmatch(name):
        raise ValueError(f"operator name {operator!r} must have neither blanks nor a plus sign")
    return name


def verifier_key(key: Key) -> str:
    """The public key as text (C2SP verifier key): what a verifier is given."""
    return f"{key.name}+{key.id.hex()}+{base64.b64encode(key.type + key.public).decode()}"


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The text of a checkpoint: origin, size and root, a line each."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def fast_check(public: bytes, signature: bytes, message: bytes) -> bool:
    """The check of ``verify.ed25519`` by a compiled library: for the server's own bulk work."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Signer:
    """Signs as the operator. Make one with ``Signer.open``."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = Key(name, private.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def vkey(self) -> str:
        """The public key to hand out."""
        return verifier_key(self.key)

    def sign(self, text: str) -> str:
        """A signed note of the text, which ends with a newline."""
        if not text.endswith("\n"):
            raise ValueError("the text of a note ends with a newline")
        material = base64.b64encode(self.key.id + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {material}\n"

    @property
    def cosigner(self) -> Key:
        """The key by which this one is known where it signs as a witness. What signs checkpoints
        of its own does not do both."""
        return Key(self.name, self.key.public, COSIGNATURE)

    def cosign(self, text: str, at: int) -> str:
        """The signature line of a witness under a checkpoint's text, at a time in seconds since
        1970 (C2SP tlog-cosignature, cosignature/v1)."""
        message = f"cosignature/v1\ntime {at}\n{text}".encode()
        data = self.cosigner.id + at.to_bytes(8, "big") + self._private.sign(message)
        return f"— {self.name} {base64.b64encode(data).decode()}\n"

    @classmethod
    def open(cls, path: Path, name: str) -> "Signer":
        """The key of this name in the file; made there on first use.

        Raises KeyFileError where the file is open to others, is not a key, or is of another name.
        """
        try:
            return cls._read(path, name)
        except FileNotFoundError:
            _create(path, name)
            return cls._read(path, name)

    @classmethod
    def _read(cls, path: Path, name: str) -> "Signer":
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            text = file.read(4096)
        if mode & 0o077:
            raise KeyFileError(
                f"the signing key {path} has mode {mode:04o}, so others can read it. If nobody "
                f"else can have copied it, run: chmod 600 {path}"
            )
        parts = text.decode("utf-8", "replace").strip().split("+", 4)
        seed = unbase64(parts[4]) if len(parts) == 5 and "+".join(parts[:2]) == _PREFIX else None
        if seed is None or len(seed) != 33 or seed[:1] != ED25519:
            raise KeyFileError(f"{path} is not a signing key. Restore it from your backup")
        signer = cls(parts[2], Ed25519PrivateKey.from_private_bytes(seed[1:]))
        if signer.key.id.hex() != parts[3]:
            raise KeyFileError(f"the signing key {path} was damaged. Restore it from your backup")
        if signer.name != name:
            raise KeyFileError(
                f"the key in {path} is {signer.name}'s, this cloud is {name}. An operator's name "
                f"is part of every proof: keep the name, or start a new log with a new key"
            )
        return signer


def _create(path: Path, name: str) -> None:
    """Write a new key, whole or not at all; of two that try at once one wins."""
    private = Ed25519PrivateKey.generate()
    key = Signer(name, private).key
    seed = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{_PREFIX}+{name}+{key.id.hex()}+{seed}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        flush(path.parent)
    finally:
        os.unlink(draft)
