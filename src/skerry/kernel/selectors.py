"""Label selectors, as SECA writes them.

Comma means AND; ``k=v``, ``k!=v``, and numbers by ``>``, ``<``, ``>=``, ``<=``; ``*`` matches any
run of characters in keys and values. Every term becomes a SQL condition over ``labels``.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from skerry.kernel.errors import InvalidRequest, Source

_TERM = re.compile(r"\s*([^=!<>\s]+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,9})?")
MOST_TERMS = 50


@dataclass(frozen=True)
class Term:
    key: str
    operator: str
    value: str


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a selector; an empty text selects everything."""
    if not text.strip():
        return ()
    terms = []
    for part in text.split(","):
        match = _TERM.fullmatch(part)
        if match is None:
            raise _bad(f"{part[:80]!r} is not of the form key=value")
        term = Term(match[1], match[2], match[3])
        if term.operator not in ("=", "!=") and not _NUMBER.fullmatch(term.value):
            raise _bad(f"{term.operator} compares numbers, and {term.value[:80]!r} is none")
        terms.append(term)
    if len(terms) > MOST_TERMS:
        raise _bad(f"a selector has at most {MOST_TERMS} terms")
    return tuple(terms)


def _bad(detail: str) -> InvalidRequest:
    return InvalidRequest(
        detail,
        hint="Join terms such as env=prod, tier!=free or size>=10 with commas.",
        sources=[Source(parameter="labels")],
    )


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")


def to_sql(terms: tuple[Term, ...], first: int) -> tuple[str, list[str]]:
    """A condition over ``labels`` with parameters from ``$first`` on, and their values."""
    conditions: list[str] = []
    values: list[str] = []
    for term in terms:
        key, value = f"${first + len(values)}", f"${first + len(values) + 1}"
        each = f"select 1 from jsonb_each_text(labels) as l(k, v) where l.k like {key}"  # noqa: S608
        if term.operator in ("=", "!="):
            values += [_like(term.key), _like(term.value)]
            negate = "not " if term.operator == "!=" else ""
            conditions.append(f"{negate}exists ({each} and l.v like {value})")
        else:
            values += [_like(term.key), term.value]
            number = r"case when l.v ~ '^-?\d{1,18}(\.\d{1,9})?$' then l.v::numeric end"
            conditions.append(
                f"exists ({each} and {number} {term.operator} {value}::text::numeric)"
            )
    return " and ".join(conditions) or "true", values


def matches(terms: tuple[Term, ...], labels: dict[str, str]) -> bool:
    """The same in Python, for events of the feed."""
    return all(_matches(term, labels) for term in terms)


def _glob(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.S) is not None


def _matches(term: Term, labels: dict[str, str]) -> bool:
    values = [v for k, v in labels.items() if _glob(term.key, k)]
    if term.operator == "=":
        return any(_glob(term.value, v) for v in values)
    if term.operator == "!=":
        return not any(_glob(term.value, v) for v in values)
    bound = Decimal(term.value)
    numbers = [Decimal(v) for v in values if _NUMBER.fullmatch(v)]
    compare = {
        ">": lambda n: n > bound,
        "<": lambda n: n < bound,
        ">=": lambda n: n >= bound,
        "<=": lambda n: n <= bound,
    }[term.operator]
    return any(map(compare, numbers))
