"""Offers in the database: their states, and what is taken of them and given back.

Every change is a new state under the next version, written while the offer's row is locked; no
state is ever altered. A lease is locked before its offer, an offer before any account of the
ledger.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from skerry.market.ask import Ask, Divisible, Fixed, Offer, Row, Used, canonical, checked
from skerry.market.columns import row_digest
from skerry.store import Tx
from skerry.store.database import Row as Record
from skerry.store.queries import load

_sql = load("skerry.market", "offers.sql")
_OFFER = msgspec.json.Decoder(Offer)
_USED = msgspec.json.Decoder(Used)


@dataclass(frozen=True)
class Locked:
    """An offer whose row is held until the transaction (or savepoint) ends."""

    row: Row
    terms: bytes
    digest: bytes
    retired: bool


def row_of(record: Record) -> Row:
    """A state as ``match`` sees it."""
    return Row(
        offer=_OFFER.decode(record["body"]),
        used=_USED.decode(record["used"]),
        version=record["version"],
    )


async def lock(tx: Tx, id: str) -> Locked | None:
    """The newest state of an offer, locked. Waits for whoever is changing it."""
    await tx.execute(_sql.lock, id)
    record = await tx.fetchrow(_sql.read, [id])
    if record is None:
        return None
    return Locked(row_of(record), record["terms"], record["digest"], record["retired"])


async def lock_all(tx: Tx, ids: Iterable[str]) -> dict[str, Locked]:
    """Of several, as ``lock`` does; they are locked in the order of their ids."""
    wanted = sorted(set(ids))
    if len(wanted) == 1:
        found = await lock(tx, wanted[0])
        return {wanted[0]: found} if found else {}
    await tx.fetch(_sql.lock_all, wanted)
    return {
        record["id"]: Locked(row_of(record), record["terms"], record["digest"], record["retired"])
        for record in await tx.fetch(_sql.read, wanted)
    }


async def write(tx: Tx, offer: Offer) -> Row:
    """Put an offer on sale, or change its terms; what is taken of it stays taken.

    The same terms again change nothing. Raises ``ValueError`` for terms out of bounds.
    """
    body = canonical(checked(offer))
    terms = hashlib.sha256(body).digest()
    before = await lock(tx, offer.id)
    if before is not None and before.terms == terms and not before.retired:
        return before.row
    await tx.execute(_sql.keep_terms, terms, body.decode())
    if before is None:
        row = Row(offer=offer, used=Used(), version=1)
        await tx.execute(_sql.add, *await _state(tx, row, terms))
        return row
    row = Row(offer=offer, used=before.row.used, version=before.row.version + 1)
    await _advance(tx, row, terms)
    return row


async def retire(tx: Tx, id: str) -> None:
    """Take an offer off the market. Leases of it go on; nothing new is placed there."""
    before = await lock(tx, id)
    if before is not None and not before.retired:
        row = msgspec.structs.replace(before.row, version=before.row.version + 1)
        await _advance(tx, row, before.terms, retired=True)


async def write_all(tx: Tx, wanted: Mapping[str, Offer | None]) -> None:
    """``write`` each of these, and ``retire`` those of None, in a few statements."""
    before = await lock_all(tx, wanted)
    terms: dict[bytes, str] = {}
    added: list[tuple[object, ...]] = []
    advanced: list[tuple[object, ...]] = []
    for id, offer in sorted(wanted.items()):
        old = before.get(id)
        if offer is None:
            if old is not None and not old.retired:
                row = msgspec.structs.replace(old.row, version=old.row.version + 1)
                advanced.append((*await _state(tx, row, old.terms), True))
            continue
        body = canonical(checked(offer))
        digest = hashlib.sha256(body).digest()
        if old is not None and old.terms == digest and not old.retired:
            continue
        terms[digest] = body.decode()
        if old is None:
            added.append(await _state(tx, Row(offer=offer), digest))
        else:
            row = Row(offer=offer, used=old.row.used, version=old.row.version + 1)
            advanced.append((*await _state(tx, row, digest), False))
    await tx.executemany(_sql.keep_terms, sorted(terms.items()))
    await tx.executemany(_sql.add, added)
    await tx.executemany(_sql.advance, advanced)


async def change_use(tx: Tx, locked: Locked, used: Used) -> Row:
    """Write that so much of a locked offer is in use now."""
    row = Row(offer=locked.row.offer, used=used, version=locked.row.version + 1)
    await _advance(tx, row, locked.terms, retired=locked.retired)
    return row


async def change_uses(tx: Tx, changes: Iterable[tuple[Locked, Used]]) -> None:
    """Of several offers at once."""
    rows = [
        (
            *await _state(
                tx, Row(offer=one.row.offer, used=used, version=one.row.version + 1), one.terms
            ),
            one.retired,
        )
        for one, used in changes
    ]
    if len(rows) == 1:
        await tx.execute(_sql.advance, *rows[0])
    else:
        await tx.executemany(_sql.advance, rows)


async def _advance(tx: Tx, row: Row, terms: bytes, *, retired: bool = False) -> None:
    await tx.execute(_sql.advance, *await _state(tx, row, terms), retired)


async def _state(tx: Tx, row: Row, terms: bytes) -> tuple[object, ...]:
    """The columns of a state."""
    used = canonical(row.used).decode()
    return row.offer.id, row.version, terms, used, row_digest(row), await tx.now()


def takes(ask: Ask, offer: Offer, gpu_model: str, tasks: int | None = None) -> Used:
    """How much of an offer an ask takes, with so many of its tasks (None: all)."""
    tasks = ask.tasks if tasks is None else tasks
    if isinstance(offer.supply, Fixed):
        return Used(count=tasks)
    return Used(
        millicores=ask.millicores * tasks,
        memory=ask.memory * tasks,
        disk=(ask.disk + ask.storage) * tasks,
        gpus={gpu_model: ask.gpus * tasks} if ask.gpus else {},
    )


def named(row: Row, part: Used) -> Used:
    """The same, with the devices that it shall be, where the offer names its devices: the first
    that are free. None are named while something else holds devices without a name."""
    supply, held = row.offer.supply, row.used
    if isinstance(supply, Fixed) or sum(held.gpus.values()) != len(held.devices):
        return part
    names: list[str] = []
    for model, count in part.gpus.items():
        known = next((stock.devices for stock in supply.gpus if stock.model == model), ())
        free = [device for device in known if device not in held.devices]
        if len(free) < count:
            return part
        names += free[:count]
    return msgspec.structs.replace(part, devices=tuple(names))


def more(used: Used, part: Used) -> Used:
    """What is in use with ``part`` taken, too."""
    return _sum(used, part, 1)


def less(used: Used, part: Used) -> Used:
    """What is in use when ``part`` is given back."""
    return _sum(used, part, -1)


def _sum(used: Used, part: Used, sign: int) -> Used:
    gpus = {
        model: used.gpus.get(model, 0) + sign * part.gpus.get(model, 0)
        for model in sorted({*used.gpus, *part.gpus})
    }
    held = set(used.devices)
    devices = held | set(part.devices) if sign > 0 else held - set(part.devices)
    return Used(
        millicores=used.millicores + sign * part.millicores,
        memory=used.memory + sign * part.memory,
        disk=used.disk + sign * part.disk,
        gpus={model: count for model, count in gpus.items() if count},
        devices=tuple(sorted(devices)),
        count=used.count + sign * part.count,
    )


def fits(offer: Offer, used: Used) -> bool:
    """Whether an offer holds that much."""
    supply = offer.supply
    if isinstance(supply, Fixed):
        return used.count <= supply.count
    stock: Mapping[str, int] = {gpu.model: gpu.count for gpu in supply.gpus}
    return (
        used.millicores <= supply.millicores
        and used.memory <= supply.memory
        and used.disk <= supply.disk
        and all(count <= stock.get(model, 0) for model, count in used.gpus.items())
    )


def free(row: Row) -> Divisible | int:
    """What is left: a smaller pool, or a number of instances. Never below zero."""
    supply, used = row.offer.supply, row.used
    if isinstance(supply, Fixed):
        return max(0, supply.count - used.count)
    return msgspec.structs.replace(
        supply,
        millicores=max(0, supply.millicores - used.millicores),
        memory=max(0, supply.memory - used.memory),
        disk=max(0, supply.disk - used.disk),
        gpus=tuple(
            msgspec.structs.replace(g, count=max(0, g.count - used.gpus.get(g.model, 0)))
            for g in supply.gpus
        ),
    )


async def read(tx: Tx, id: str) -> Row | None:
    """The newest state of an offer, without locking it."""
    return (await read_all(tx, [id])).get(id)


async def read_all(tx: Tx, ids: Sequence[str]) -> dict[str, Row]:
    """The same of several, by id; those that are not there are left out."""
    rows = [row_of(record) for record in await tx.fetch(_sql.read, list(ids))]
    return {row.offer.id: row for row in rows}
