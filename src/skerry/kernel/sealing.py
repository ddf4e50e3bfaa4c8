"""Sealed fields: secrets that go in and never come out to a client.

Envelope encryption. Each tenant has a data key; values are AES-256-GCM under it, bound to their
resource and field so that a ciphertext can't be moved. Data keys are wrapped by a key from a file
outside the database (mode 0600). ``rotate`` adds a new file key and wraps every data key anew; the
values need no touch. Whoever has only the database, or only the file, has nothing.
"""

import base64
import os
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from skerry.durable import write_private
from skerry.store import Tx
from skerry.store.errors import StoreError
from skerry.store.queries import load

_sql = load("skerry.kernel", "sealing.sql")


class SealError(StoreError):
    """The key file is missing, open to others, or not the one this database was sealed with."""


class _KeyFile(msgspec.Struct):
    current: str
    keys: dict[str, str]


def _opened(key: AESGCM, uid: uuid.UUID, field: str, sealed: bytes) -> object:
    try:
        text = key.decrypt(sealed[:12], sealed[12:], f"{uid}/{field}".encode())
    except InvalidTag:
        raise SealError(f"the sealed field {field!r} of {uid} was altered") from None
    return msgspec.json.decode(text)


class Sealer:
    """Seals and opens values with the keys of one key file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._read() if path.exists() else self._create()

    def _create(self) -> _KeyFile:
        file = _KeyFile(current="", keys={})
        self._add_key(file)
        self._write(file)
        return file

    def _read(self) -> _KeyFile:
        mode = self._path.stat().st_mode & 0o077
        if mode:
            raise SealError(f"{self._path} can be read by others: chmod 600 {self._path}")
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_KeyFile)
        except msgspec.DecodeError as error:
            raise SealError(f"{self._path} is not a Skerry key file: {error}") from None

    @staticmethod
    def _add_key(file: _KeyFile) -> None:
        name = secrets.token_hex(4)
        file.keys[name] = base64.b64encode(secrets.token_bytes(32)).decode()
        file.current = name

    def _write(self, file: _KeyFile) -> None:
        write_private(self._path, msgspec.json.encode(file))

    def _wrapper(self, name: str) -> AESGCM:
        try:
            return AESGCM(base64.b64decode(self._file.keys[name]))
        except KeyError:
            raise SealError(
                f"{self._path} lacks the key {name!r} that this database was sealed with: "
                "put back the key file that belongs to it"
            ) from None

    def derived(self, purpose: bytes) -> bytes:
        """A key of 64 bytes for something else, the same wherever this key file is. It outlives
        ``rotate``, which adds keys behind the first."""
        first = base64.b64decode(next(iter(self._file.keys.values())))
        return HKDF(hashes.SHA256(), 64, salt=None, info=b"skerry " + purpose).derive(first)

    async def _data_key(self, tx: Tx, tenant: str) -> AESGCM:
        row = await tx.fetchrow(_sql.data_key, tenant)
        if row is None:
            plain, name, nonce = AESGCM.generate_key(256), self._file.current, os.urandom(12)
            wrapped = nonce + self._wrapper(name).encrypt(nonce, plain, tenant.encode())
            row = await tx.fetchrow(_sql.insert_data_key, tenant, name, wrapped)
            assert row is not None
        return AESGCM(self._unwrap(tenant, row["key_id"], row["wrapped"]))

    def _unwrap(self, tenant: str, name: str, wrapped: bytes) -> bytes:
        try:
            return self._wrapper(name).decrypt(wrapped[:12], wrapped[12:], tenant.encode())
        except InvalidTag:
            raise SealError(
                f"the data key of tenant {tenant!r} can't be opened with {self._path}"
            ) from None

    async def seal(self, tx: Tx, tenant: str, uid: uuid.UUID, field: str, value: object) -> None:
        """Store a value, replacing an older one."""
        key, nonce = await self._data_key(tx, tenant), os.urandom(12)
        text = msgspec.json.encode(value)
        sealed = nonce + key.encrypt(nonce, text, f"{uid}/{field}".encode())
        await tx.execute(_sql.put_sealed, uid, field, sealed)

    async def open(self, tx: Tx, tenant: str, uid: uuid.UUID, field: str) -> object:
        """The value, for the flow that needs it; None if there is none."""
        return (await self.open_all(tx, tenant, [uid], field)).get(uid)

    async def open_all(
        self, tx: Tx, tenant: str, uids: Sequence[uuid.UUID], field: str
    ) -> dict[uuid.UUID, object]:
        """The same field of several of a tenant's resources, of those that have it."""
        rows = await tx.fetch(_sql.get_sealed, list(uids), field)
        if not rows:
            return {}
        key = await self._data_key(tx, tenant)
        return {row["uid"]: _opened(key, row["uid"], field, row["ciphertext"]) for row in rows}

    async def wrap(self, tx: Tx, tenant: str, about: str, value: bytes) -> bytes:
        """Seal something that is no resource's field, for a table of the caller's own."""
        key, nonce = await self._data_key(tx, tenant), os.urandom(12)
        return nonce + key.encrypt(nonce, value, about.encode())

    async def unwrap(self, tx: Tx, tenant: str, about: str, sealed: bytes) -> bytes:
        """The inverse of ``wrap``. Raises ``SealError`` if it was altered or is about another."""
        key = await self._data_key(tx, tenant)
        try:
            return key.decrypt(sealed[:12], sealed[12:], about.encode())
        except InvalidTag:
            raise SealError(f"what was sealed about {about!r} was altered") from None

    async def drop(self, tx: Tx, uid: uuid.UUID) -> None:
        """Forget all sealed fields of a resource."""
        await tx.execute(_sql.drop_sealed, uid)

    async def rotate(self, tx: Tx) -> int:
        """Make a new file key and wrap all data keys with it. Says how many.

        The old key stays in the file, since backups of the database may still need it.
        """
        rows = await tx.fetch(_sql.lock_data_keys)
        plain = {r["tenant"]: self._unwrap(r["tenant"], r["key_id"], r["wrapped"]) for r in rows}
        self._add_key(self._file)
        self._write(self._file)
        name = self._file.current
        for tenant, key in plain.items():
            nonce = os.urandom(12)
            wrapped = nonce + self._wrapper(name).encrypt(nonce, key, tenant.encode())
            await tx.execute(_sql.rewrap_data_key, tenant, name, wrapped)
        return len(plain)
