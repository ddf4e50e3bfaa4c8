"""Who may be a host: one-time tokens to join by, and the certificates they are traded for.

The operator makes a token for a site (``invite``); a machine trades it for a certificate of its own
key (``enrol``), which makes it a host of the site. From then on the certificate alone says who it
is (``holder``), and it trades the old for a new one before it expires (``renew``). A token is good
once: for one key. The same machine may ask again with the same key, as it does when the answer was
lost. A host that is there already can be joined anew only by a token for just that name, so no
token for a site lets anybody take over another's host.

The database keeps digests of tokens and numbers of certificates, no secret.
"""

import hashlib
import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from skerry.identity import tokens
from skerry.kernel import changes
from skerry.kernel.errors import Conflict
from skerry.kernel.history import stamp
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.sites import nodes
from skerry.sites.authority import Authority, BadRequest, Issued
from skerry.sites.greeting import Denied
from skerry.sites.places import at_of
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites", "joining.sql")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TOKEN, CERTIFICATE = "join-token", "host-certificate"


async def invite(tx: Tx, site: Resource, host: str, life: timedelta, by: Caller) -> dict[str, Any]:
    """A new token to join the site by, and all that is needed to use it.

    Raises ``Conflict`` while this cloud takes no hosts.
    """
    door = await nodes.doors(tx)
    if door is None:
        raise Conflict(
            "this cloud takes no hosts",
            hint="Start it with: skerry up --agents HOST:PORT, an address that hosts reach.",
        )
    id, secret = uuid.uuid4(), tokens.mint("join")
    digest = tokens.digest(secret)
    expires_at = await tx.fetchval(_sql.insert_join_token, id, site.name, host, digest, life)
    await _record(tx, TOKEN, str(id), "issue", 1, by)
    token = f"{secret}.{door.fingerprint}"
    return {
        "token": token,
        "expiresAt": stamp(expires_at),
        "address": door.address,
        "fingerprint": door.fingerprint,
        "command": f"echo {token} | skerry site join {door.address}",
    }


async def withdraw(tx: Tx, site: str, by: Caller) -> None:
    """End all tokens of the site that nobody used."""
    for row in await tx.fetch(_sql.revoke_join_tokens, site):
        await _record(tx, TOKEN, str(row["id"]), "revoke", 2, by)


async def enrol(
    tx: Tx, resources: Resources, authority: Authority, secret: str, name: str, request: str
) -> tuple[Resource, Issued]:
    """Trade a token for a certificate, making the host unless it is there. Raises ``Denied``."""
    row = None
    if tokens.well_formed(secret):
        row = await tx.fetchrow(_sql.join_token_by_digest, tokens.digest(secret))
    if row is None or row["revoked_at"] is not None:
        raise Denied("this is no token to join by, or it was withdrawn")
    key = hashlib.sha256(request.encode()).hexdigest()
    if row["used_at"] is not None and row["used_key"] != key:
        raise Denied("this token was used already: a token is good once; ask for another")
    if row["expired"]:
        raise Denied("this token has expired; ask for another")
    name = row["host"] or name
    if not NAME.fullmatch(name):
        raise Denied(
            f"{name[:80]!r} can't be a host's name: give one by --name, of up to 63 of a-z, 0-9 "
            "and - (not at its ends)"
        )
    host = await _host(tx, resources, row["site"], name, row)
    issued = await _certify(tx, authority, host, request)
    await tx.execute(_sql.use_join_token, row["id"], host.uid, key)
    if row["used_at"] is None:
        await _record(tx, TOKEN, str(row["id"]), "use", 2, SYSTEM)
    return host, issued


async def _host(tx: Tx, resources: Resources, site: str, name: str, token: Any) -> Resource:
    kind, path = resources.registry["host"], Path(parents=(site,), name=name)
    host = await resources.find(tx, resources.ref(kind, path))
    if host is None:
        return (await resources.put(tx, kind, path, {"spec": {}}, SYSTEM)).resource
    again = token["used_for"] == host.uid or token["host"] == name
    if not again and await tx.fetchval(_sql.has_certificate, host.uid):
        raise Denied(
            f"site {site!r} has a host {name!r} already: choose another name by --name, or, if it "
            f"is this machine, ask for a token of just this name: "
            f"skerry site invite {site} --set host={name}"
        )
    if token["host"] == name and token["used_at"] is None:
        await revoke(tx, host, SYSTEM)  # the machine begins anew; what the old one held is over
    return host


async def renew(tx: Tx, authority: Authority, host: Resource, request: str) -> Issued:
    """Another certificate for a host that has one. Raises ``Denied``."""
    if not await tx.fetchval(_sql.has_certificate, host.uid):
        raise Denied("this host's certificates were revoked")
    return await _certify(tx, authority, host, request)


async def _certify(tx: Tx, authority: Authority, host: Resource, request: str) -> Issued:
    try:
        issued = authority.sign_host(request, at_of(host))
    except BadRequest as bad:
        raise Denied(str(bad)) from None
    await tx.execute(_sql.insert_certificate, issued.serial, host.uid, issued.expires_at)
    await _record(tx, CERTIFICATE, issued.serial, "issue", 1, SYSTEM)
    return issued


async def revoke(tx: Tx, host: Resource, by: Caller) -> int:
    """End all certificates of a host; how many there were. Its connection is dropped at once."""
    rows = await tx.fetch(_sql.revoke_certificates, host.uid)
    for row in rows:
        await _record(tx, CERTIFICATE, row["serial"], "revoke", 2, by)
    return len(rows)


async def holder(db: Database, serial: str) -> tuple[str, uuid.UUID] | None:
    """The place that a certificate is of, and its resource; None: it was revoked, or is not of
    ours."""
    row = await db.fetchrow(_sql.holder, serial)
    return (row["at"], row["uid"]) if row else None


async def still_good(db: Database, serials: list[str]) -> frozenset[str]:
    """Those that were not revoked meanwhile."""
    return frozenset(row["serial"] for row in await db.fetch(_sql.still_good, serials))


async def expiries(tx: Tx, hosts: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When the newest certificate of each host expires; of those that have one."""
    rows = await tx.fetch(_sql.newest_certificates, list(hosts))
    return {row["host"]: row["expires_at"] for row in rows}


async def _record(tx: Tx, kind: str, subject: str, verb: str, version: int, by: Caller) -> None:
    body = await (_token if kind == TOKEN else _certificate)(tx, subject)
    assert body is not None
    await changes.record(
        tx, kind=kind, subject=subject, verb=verb, tenant="", actor=by.subject, body=body,
        version=version,
    )  # fmt: skip


@changes.witness(TOKEN)
async def _token(tx: Tx, subject: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.join_token, uuid.UUID(subject))
    if row is None:
        return None
    return {
        "site": row["site"],
        "host": row["host"],
        "fingerprint": tokens.fingerprint(row["digest"]),
        "expiresAt": stamp(row["expires_at"]),
        "usedFor": str(row["used_for"]) if row["used_for"] else None,
        "revokedAt": stamp(row["revoked_at"]) if row["revoked_at"] else None,
    }


@changes.witness(CERTIFICATE)
async def _certificate(tx: Tx, subject: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.certificate, subject)
    if row is None:
        return None
    return {
        "host": str(row["host"]),
        "expiresAt": stamp(row["expires_at"]),
        "revokedAt": stamp(row["revoked_at"]) if row["revoked_at"] else None,
    }
