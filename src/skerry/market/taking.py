"""What leases take of offers, and give back.

Most take of one offer. A gang over several nodes takes a share of each node's, all in one
transaction and given back in one: the row in ``lease`` has the first share, ``lease_share`` the
others. Offers are locked in the order of their ids, so two gangs never wait for each other.
"""

import uuid
from collections.abc import Mapping, Sequence

from skerry.kernel.errors import Conflict
from skerry.market import offers
from skerry.market.ask import Ask, Used, canonical
from skerry.market.decision import Choice
from skerry.market.lease import Lease, used_of
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.market", "leases.sql")


def takes_of(choice: Choice, ask: Ask, locked: Mapping[str, offers.Locked]) -> list[Used]:
    """What is taken of each offer, in the order of ranks. Raises ``Conflict``."""
    shares = [(s.offer, s.tasks) for s in choice.shares] or [(choice.offer, ask.tasks)]
    found = []
    for id, tasks in shares:
        row = locked[id].row
        part = offers.named(row, offers.takes(ask, row.offer, choice.gpu_model, tasks))
        if not offers.fits(row.offer, offers.more(row.used, part)):
            raise Conflict(f"offer {id} has too little free now", hint="Ask again.")
        found.append(part)
    return found


async def take(tx: Tx, lease: Lease, locked: Mapping[str, offers.Locked]) -> None:
    """Write into locked offers that this lease takes of them."""
    await offers.change_uses(
        tx,
        [
            (locked[part.offer], offers.more(locked[part.offer].row.used, part.takes))
            for part in lease.taken
        ],
    )


async def keep_shares(tx: Tx, lease: Lease) -> None:
    """Write down the shares that the lease's own row does not have."""
    if lease.further:
        shares = enumerate(lease.taken)
        rows = [(lease.id, n, s.offer, canonical(s.takes).decode()) for n, s in shares if n]
        await tx.executemany(_sql.add_share, rows)


async def give_back(tx: Tx, lease: Lease) -> None:
    """Offers are as if the lease, which is locked, had not taken anything of them."""
    await _returned(tx, [(part.offer, part.takes) for part in lease.taken])
    if lease.further:
        await tx.execute(_sql.give_back_shares, lease.id)


async def _returned(tx: Tx, taken: Sequence[tuple[str, Used]]) -> None:
    locked = await offers.lock_all(tx, [offer for offer, _ in taken])
    await offers.change_uses(
        tx,
        [(locked[offer], offers.less(locked[offer].row.used, takes)) for offer, takes in taken],
    )


async def taken_by(tx: Tx, leases: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, Used]]:
    """What each of these takes of each offer."""
    found: dict[uuid.UUID, dict[str, Used]] = {}
    for row in await tx.fetch(_sql.taken_by, list(leases)):
        found.setdefault(row["lease"], {})[row["offer"]] = used_of(row["takes"])
    return found


async def heal(db: Database) -> None:
    """Give back the shares of leases that were closed by a server of a version without shares."""
    for row in await db.fetch(_sql.forgotten):
        async with db.transaction() as tx:
            await tx.execute(_sql.lock, row["id"])
            shares = await tx.fetch(_sql.forgotten_shares, row["id"])
            if shares:
                await _returned(tx, [(s["offer"], used_of(s["takes"])) for s in shares])
                await tx.execute(_sql.give_back_shares, row["id"])
