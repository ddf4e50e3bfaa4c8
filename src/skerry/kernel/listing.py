"""Lists: which of a collection, in which order, from where on.

Pages go on after the last key that was read (never by counting), so they neither skip nor repeat
what stays as it is, however much is added and removed meanwhile, and each costs the same. What is
sorted by a thing that changes, as ``modified`` and ``state`` do, may show an item twice or not at
all if just that changes between two pages. Names and times of creation have an index; other orders
and filters read the collection's rows.
"""

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from skerry.kernel import selectors
from skerry.kernel.errors import InvalidRequest, Source
from skerry.kernel.history import State, stamp
from skerry.kernel.sealing import Sealer

if TYPE_CHECKING:
    from skerry.kernel.rows import Resource

Deleted = Literal["no", "also", "only"]
MOST_COUNTED = 100_000
MOST_SEARCHED = 200
_MOST_WORDS = 50
_STATES: tuple[str, ...] = get_args(State)
_ORDERS = {
    "name": ("name",),
    "created": ("created_at",),
    "modified": ("modified_at",),
    "state": ("state", "name"),
}
SORTS = tuple(sign + name for name in _ORDERS for sign in ("", "-"))
_CASTS = {"created_at": "timestamptz", "modified_at": "timestamptz", "uid": "uuid"}
_ALIVE = {"no": "deleted_at is null", "also": "true", "only": "deleted_at is not null"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What of a collection is wanted. ``search`` is a part of the name, or of a label's key or
    value, in any case; ``states`` and ``phases`` are each one of several."""

    labels: str = ""
    search: str = ""
    states: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    sort: str = "name"
    limit: int = 1000
    skip_token: str = ""
    deleted: Deleted = "no"
    count: bool = False


class Skips:
    """Says where pages end, sealed: the last item of a page may be one that whoever reads the list
    may not see. The same place has the same token in every process that has the key file."""

    _BLOCK = 32
    """Bytes to which what is sealed is filled up, so that its length says little of a name."""

    def __init__(self, sealer: Sealer) -> None:
        self._siv = AESSIV(sealer.derived(b"skipToken"))

    def seal(self, last: uuid.UUID, keys: list[str], about: str) -> str:
        """A token for the list that is ``about`` this."""
        plain = msgspec.msgpack.encode([last.bytes, *keys])
        filled = plain.ljust(-(-len(plain) // self._BLOCK) * self._BLOCK, b"\0")
        sealed = self._siv.encrypt(filled, [about.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, token: str, about: str) -> tuple[uuid.UUID, list[str]]:
        """The inverse. Raises ``InvalidRequest``."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            plain = self._siv.decrypt(sealed, [about.encode()]).rstrip(b"\0")
        except (ValueError, InvalidTag):
            raise _bad(
                "skipToken",
                "skipToken is not one that this list in this order gave out",
                "Start again without it.",
            ) from None
        last, *keys = msgspec.msgpack.decode(plain)
        return uuid.UUID(bytes=last), keys


class Query:
    """The conditions and parameters of a list, to stand behind ``where … and``. Raises
    ``InvalidRequest``."""

    def __init__(self, asked: Asked, skips: Skips, *scope: str) -> None:
        self.values: list[Any] = list(scope)
        self._skips = skips
        self._about = "\n".join((asked.sort, *scope))
        self._descending = asked.sort.startswith("-")
        if asked.sort not in SORTS:
            raise _bad("sort", f"{asked.sort[:40]!r} is no order", f"Orders: {', '.join(SORTS)}.")
        self._columns = (*_ORDERS[asked.sort.removeprefix("-")], "uid")
        self.filter = " and ".join(self._filters(asked))
        self.after = self._after(asked.skip_token)

    def _next(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def _filters(self, asked: Asked) -> list[str]:
        found = [_ALIVE[asked.deleted]]
        condition, values = selectors.to_sql(
            selectors.parse(_words(asked.labels, "labels")), len(self.values) + 1
        )
        self.values += values
        found.append(condition)
        if asked.states:
            for state in asked.states:
                if state not in _STATES:
                    hint = f"States: {', '.join(_STATES)}."
                    raise _bad("state", f"{state[:40]!r} is no state", hint)
            found.append(f"state = any({self._next(list(asked.states))}::text[])")
        if asked.phases:
            phases = [_words(phase, "phase") for phase in asked.phases[:_MOST_WORDS]]
            found.append(f"status->>'phase' = any({self._next(phases)}::text[])")
        if asked.search:
            found.append(self._search(_words(asked.search, "search")))
        return found

    def _search(self, text: str) -> str:
        if len(text) > MOST_SEARCHED:
            raise _bad("search", f"search has at most {MOST_SEARCHED} characters", "")
        like = self._next(_part(text))
        # The labels' text is quicker to look through than each of them, which then decide.
        rough = self._next(_part(msgspec.json.encode(text).decode()[1:-1]))
        either = f"l.k ilike {like} or l.v ilike {like}"
        each = f"exists (select 1 from jsonb_each_text(labels) as l(k, v) where {either})"  # noqa: S608
        return f"(name ilike {like} or (labels::text ilike {rough} and {each}))"

    def _after(self, token: str) -> str:
        if not token:
            return "true"
        uid, texts = self._skips.open(token, self._about)
        keys = [_MEANS.get(c, str)(text) for c, text in zip(self._columns, texts, strict=False)]
        told = (
            f"{self._next(key)}::{_CASTS.get(column, 'text')}"
            for column, key in zip(self._columns, [*keys, uid], strict=True)
        )
        sign = "<" if self._descending else ">"
        return f"({', '.join(self._columns)}) {sign} ({', '.join(told)})"

    @property
    def order(self) -> str:
        way = " desc" if self._descending else ""
        return ", ".join(f"{column}{way}" for column in self._columns)

    def token(self, last: "Resource") -> str:
        """Where the page behind this item begins."""
        keys = [_text(getattr(last, column)) for column in self._columns[:-1]]
        return self._skips.seal(last.uid, keys, self._about)


def _text(value: Any) -> str:
    return stamp(value) if isinstance(value, datetime) else str(value)


_MEANS = {"created_at": datetime.fromisoformat, "modified_at": datetime.fromisoformat}


def _part(text: str) -> str:
    """A pattern for what has this in it."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _words(text: str, parameter: str) -> str:
    """What Postgres can look for."""
    if "\0" in text:
        raise _bad(parameter, f"{parameter} has a NUL character in it", "Remove it.")
    return text


def _bad(parameter: str, detail: str, hint: str) -> InvalidRequest:
    return InvalidRequest(detail, hint=hint, sources=[Source(parameter=parameter)])
