"""Pages of lists of 25,000: in each order and searched, the first page and a deep one.

Milliseconds of a whole request for a page of 100 over one connection, median, beside a plain select
of the same page (the same filter, order and place; all columns, decoded by asyncpg) on the same
Postgres, taken in turns. A deep page is behind four fifths of what there is.

    python bench/lists.py [--rounds 30] [--resources 25000]
"""

import argparse
import asyncio
import http.client
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg

from api import fill, server
from figures import Figures
from served import BASE
from skerry.store import Database
from skerry.store.postgres import EmbeddedPostgres

PAGE = 100
STRIDE = 1000
"""Items of a page on the way to a deep one: as many as a page may have."""
MOST_MS = 50
SPREAD = """
update resource set created_at = created_at - make_interval(secs => n),
  modified_at = modified_at - make_interval(secs => n * 7919 % 25000),
  state = (array['active', 'active', 'active', 'error', 'updating'])[1 + n % 5],
  labels = jsonb_build_object('team', 'bench', 'run', 'nightly-' || n % 500)
from (select uid as u, row_number() over (order by name) as n from resource where kind = 'job') x
where uid = u
"""
_SELECT = "select * from resource where kind = 'job' and parent_ref = $1 and deleted_at is null"
_SEARCHED = "(name ilike $2 or labels::text ilike $2)"


@dataclass(frozen=True)
class List:
    """A list as it is asked for, and in SQL: its order and, of a deep page, its place."""

    name: str
    query: dict[str, str]
    columns: str
    way: str = ""
    search: str = ""

    def select(self, deep: bool) -> str:
        where = f" and {_SEARCHED}" if self.search else ""
        if deep:
            first = 3 if self.search else 2
            count = len(self.columns.split(", "))
            keys = ", ".join(f"${first + i}" for i in range(count))
            where += f" and ({self.columns}) {'<' if self.way else '>'} ({keys})"
        order = ", ".join(column + self.way for column in self.columns.split(", "))
        return f"{_SELECT}{where} order by {order} limit {PAGE}"

    @property
    def values(self) -> list[str]:
        return [f"%{self.search}%"] if self.search else []


LISTS = (
    List("by name", {}, "name, uid"),
    List("newest first", {"sort": "-created"}, "created_at, uid", " desc"),
    List("last changed first", {"sort": "-modified"}, "modified_at, uid", " desc"),
    List("by state", {"sort": "state"}, "state, name, uid"),
    List("searched", {"search": "nightly-4"}, "name, uid", search="nightly-4"),
)


class Client:
    """One connection to the API."""

    def __init__(self, port: int, token: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"authorization": f"Bearer {token}"}

    def page(self, query: dict[str, str], limit: int = PAGE) -> dict[str, Any]:
        self._http.request("GET", f"{BASE}?{urlencode({**query, 'limit': str(limit)})}",
                           headers=self._headers)  # fmt: skip
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{query}: {answer.status} {text.decode()}")
        return dict(json.loads(text))


def deep(client: Client, query: dict[str, str], count: int) -> tuple[str, str]:
    """The token of a deep page, and the name of the last item before it."""
    skip, last = "", ""
    for _ in range(max(1, count // STRIDE)):
        page = client.page({**query, **({"skipToken": skip} if skip else {})}, STRIDE)
        if "skipToken" not in page["metadata"]:
            break
        skip, last = page["metadata"]["skipToken"], page["items"][-1]["metadata"]["name"]
    return skip, last


async def measure(figures: Figures, url: str, port: int, token: str, rounds: int) -> None:
    database = await Database.open(url, size=1)
    client = Client(port, token)
    slowest = 0.0
    async with database.transaction(readonly=True) as tx:
        parent = await tx.fetchval("select parent_ref from resource where kind = 'job' limit 1")
        for one in LISTS:
            total = int(client.page({**one.query, "count": "true"})["metadata"]["total"])
            for place in ("first", "deep"):
                query, keys = dict(one.query), list[Any]()
                if place == "deep":
                    query["skipToken"], name = deep(client, one.query, total * 4 // 5)
                    row = await tx.fetchrow(
                        f"select {one.columns} from resource where kind = 'job' and name = $1", name
                    )
                    keys = list(row or ())
                select = one.select(place == "deep")
                arguments = (parent, *one.values, *keys)
                ours, plain = await _taken(client, query, tx, select, arguments, rounds)
                slowest = max(slowest, ours)
                figures.add(f"{one.name}, {place} page", ours, "ms", peer=("plain select", plain))
    figures.add(f"the slowest page of {PAGE}, median", slowest, "ms", limit=MOST_MS)
    await database.close()


async def _taken(
    client: Client, query: dict[str, str], tx: Any, select: str, values: Any, rounds: int
) -> tuple[float, float]:
    """Milliseconds of ours and of the select, each the median, and both of the same items."""
    ours, plain = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        page = client.page(query)
        between = time.perf_counter()
        rows: list[asyncpg.Record] = await tx.fetch(select, *values)
        ended = time.perf_counter()
        ours.append(1000 * (between - began))
        plain.append(1000 * (ended - between))
    names = [item["metadata"]["name"] for item in page["items"]]
    if names != [row["name"] for row in rows]:
        sys.exit(f"{query}: the select is of another page")
    return statistics.median(ours), statistics.median(plain)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--resources", type=int, default=25_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-lists-") as where:
        place = Path(where)
        postgres = EmbeddedPostgres(place / "postgres", fsync=False)
        url = asyncio.run(postgres.start())
        try:
            token = asyncio.run(fill(url, place, given.resources))
            asyncio.run(_spread(url))
            figures = Figures("lists")
            with server("ours", url, place) as (port, _):
                asyncio.run(measure(figures, url, port, token, given.rounds))
            return figures.end()
        finally:
            asyncio.run(postgres.stop())


async def _spread(url: str) -> None:
    """Different times, states and labels."""
    database = await Database.open(url, size=1)
    await database.execute(SPREAD)
    await database.execute("vacuum full analyze resource")
    await database.close()


if __name__ == "__main__":
    sys.exit(main())
