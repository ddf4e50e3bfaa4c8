"""Admission: is this PUT well-formed? Pure checks, before any row is touched.

The envelope is SECA's: ``labels``, ``annotations``, ``extensions`` and ``spec`` are the user's;
whatever stands in ``metadata`` and ``status`` is ignored, since clients send back what they read,
except ``metadata.region``, which must be right if given.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from skerry.kernel.errors import Source, ValidationError
from skerry.kernel.kinds import Kind, Reference

MOST_LABELS = 256
_ENVELOPE = {"labels", "annotations", "extensions", "metadata", "spec", "status"}
_KEY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_./:]*[A-Za-z0-9])?")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_AT = re.compile(r" - at `(key in )?\$(?P<path>[^`]*)`$")


class Envelope(msgspec.Struct, kw_only=True):
    """What the user sent, checked."""

    labels: dict[str, str]
    annotations: dict[str, str]
    extensions: dict[str, str]
    spec: dict[str, Any]
    """As sent, without the sealed fields: a tenant reads back exactly what it wrote."""
    typed: Any
    secrets: dict[str, Any]
    region: str


def admit(kind: Kind, body: Mapping[str, Any], regions: frozenset[str]) -> Envelope:
    """Check a PUT's body against the kind's schema. Raises ``ValidationError``."""
    unknown = sorted(set(body) - _ENVELOPE)
    if unknown:
        raise ValidationError(
            f"unknown field {unknown[0]!r}",
            hint=f"A {kind.noun} has labels, annotations, extensions and spec.",
            sources=[Source(pointer=f"/{_escape(name)}") for name in unknown[:10]],
        )
    spec = body.get("spec")
    if spec is None:
        spec = {}
    if not isinstance(spec, dict):
        raise ValidationError.at("/spec", "spec must be an object")
    return Envelope(
        labels=_strings(body, "labels", 63),
        annotations=_strings(body, "annotations", 1024),
        extensions=_strings(body, "extensions", 1024),
        spec={k: v for k, v in spec.items() if k not in kind.secrets},
        typed=convert(kind, spec),
        secrets={k: spec[k] for k in kind.secrets if k in spec},
        region=_region(kind, body, regions),
    )


def convert(kind: Kind, spec: Mapping[str, Any]) -> Any:
    """The spec as the kind's struct; says where it does not fit."""
    try:
        return msgspec.convert(spec, kind.spec)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _AT.search(text)
        pointer = "/spec" + (_pointer(found["path"]) if found else "")
        message = _AT.sub("", text)
        where = pointer.removeprefix("/").replace("/", ".")
        if unknown := _UNKNOWN.search(message):
            pointer += "/" + _escape(unknown[1])
        raise ValidationError.at(pointer, f"{where}: {message[:1].lower()}{message[1:]}") from None


def _escape(part: str) -> str:
    return part[:200].replace("~", "~0").replace("/", "~1")


def _pointer(path: str) -> str:
    """msgspec's ``.a[0].b`` as a JSON pointer; ``[...]`` (some element) ends it."""
    out = ""
    for name, index in re.findall(r"\.([^.\[]+)|\[([^\]]*)\]", path):
        if index == "...":
            break
        out += "/" + _escape(name or index)
    return out


def _strings(body: Mapping[str, Any], field: str, longest: int) -> dict[str, str]:
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValidationError.at(f"/{field}", f"{field} must be an object of strings")
    if len(value) > MOST_LABELS:
        raise ValidationError.at(
            f"/{field}", f"{len(value)} {field}; at most {MOST_LABELS} are kept"
        )
    for key, text in value.items():
        pointer = f"/{field}/{_escape(key)}"
        if len(key) > NAME_OF_KEY or not _KEY.fullmatch(key):
            raise ValidationError.at(pointer, f"{field}: {key[:60]!r} is not a valid key")
        if not isinstance(text, str):
            raise ValidationError.at(pointer, f"{field}.{key} must be a string")
        if len(text) > longest:
            raise ValidationError.at(
                pointer, f"{field}.{key} has {len(text)} characters; most is {longest}"
            )
    return value


NAME_OF_KEY = 253


def _region(kind: Kind, body: Mapping[str, Any], regions: frozenset[str]) -> str:
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise ValidationError.at("/metadata", "metadata must be an object")
    region = metadata.get("region") if metadata else None
    if not kind.regional or region in (None, ""):
        return ""
    if not isinstance(region, str) or region not in regions:
        raise ValidationError(
            f"region {str(region)[:80]!r} is not served here",
            hint=f"Regions of this cloud: {', '.join(sorted(regions)) or 'none yet'}.",
            sources=[Source(pointer="/metadata/region")],
        )
    return region


def unchanged(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse a change of an immutable field."""
    if old == new:
        return
    for field in kind.immutable:
        if "." not in field and old.get(field) == new.get(field):
            continue
        if list(at(old, field)) != list(at(new, field)):
            raise ValidationError(
                f"spec.{field} can't be changed once the {kind.noun} exists",
                hint=f"Delete it and create a {kind.noun} with the new value.",
                sources=[Source(pointer="/spec/" + field.replace(".", "/"))],
            )


def at(document: Any, path: str) -> Iterator[Any]:
    """The values at a dotted path; ``*`` steps into every element of a list."""
    head, _, rest = path.partition(".")
    if head == "*":
        found = list(document) if isinstance(document, list) else []
    elif isinstance(document, dict) and document.get(head) is not None:
        found = [document[head]]
    else:
        found = []
    for value in found:
        if rest:
            yield from at(value, rest)
        else:
            yield value


def references(kind: Kind, spec: Mapping[str, Any]) -> Iterator[tuple[str, str, Reference | str]]:
    """Each reference in a spec: (field, noun of the target, bind)."""
    for ref in kind.refs:
        for value in filter(None, at(spec, ref.field)):
            yield ref.field, ref.kind, _reference(value, ref.field)


def _reference(value: Any, field: str) -> Reference | str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.convert(value, Reference)
    except msgspec.ValidationError as error:
        raise ValidationError.at(
            "/spec/" + field.replace(".", "/"), f"spec.{field} is not a reference: {error}"
        ) from None
