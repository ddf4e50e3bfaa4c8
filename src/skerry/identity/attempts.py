"""How a guesser is slowed down: attempts are counted in the database, for all servers together.

What is counted (an account, an address, a link) is hashed into a fixed number of rows, so nobody
can make the table grow. An IPv6 address counts as its /64.
"""

import hashlib
import ipaddress

from skerry.kernel.errors import TooManyRequests
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.identity")

WINDOW_SECONDS = 900.0
MOST_PER_ACCOUNT = 10
MOST_PER_ADDRESS = 100
_BUCKETS = 65_536
_SORTS = ("account", "address", "factor", "entry", "exchange")


def bucket(sort: str, text: str) -> int:
    """The row that counts it."""
    number = int.from_bytes(hashlib.sha256(f"{sort} {text}".encode()).digest()[:4]) % _BUCKETS
    return number + _SORTS.index(sort) * _BUCKETS


def place(address: str, sort: str = "address") -> int:
    """The row that counts what comes from a network."""
    return bucket(sort, _network(address))


async def count(db: Database, bucket: int, most: int) -> None:
    """One more. Raises ``TooManyRequests`` after ``most`` within ``WINDOW_SECONDS``."""
    row = await db.fetchrow(_sql.count_attempt, bucket, WINDOW_SECONDS)
    assert row is not None
    if row["failures"] > most:
        raise TooManyRequests(
            "Too many failed logins.",
            hint=f"Wait {row['seconds_left']} seconds, or use a token.",
        )


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)
