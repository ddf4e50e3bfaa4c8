"""Flags from a schema: each field of a spec is an option, nested ones with dots.

``skuRef`` is ``--sku-ref``, ``cidr.ipv4`` is ``--cidr.ipv4``; a field whose flag another option
has is ``--spec-…``. Lists and maps repeat (``--env A=b --env C=d``); what is deeper is written as
JSON or YAML, or ``@FILE``. Types are checked here only as far as they must be to be sent: what a
value may be is the cloud's to say.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from skerry.cli import formats
from skerry.cli.common import RESERVED
from skerry.cli.sealed import SealedPair, SealedText
from skerry.client.errors import BadSetting
from skerry.client.units import parse_bytes, parse_seconds

if TYPE_CHECKING:
    from skerry.client.catalogue import Catalogue, Kind

PANEL = "What it is"
DEPTH = 3
_BYTES = re.compile(r"(memory|size|disk|bytes|[a-z]+Bytes)$")
_SECONDS = re.compile(
    r"(seconds|timeLimit|timeout|ttl|idle|drain|grace|patience|progress|[a-zA-Z]+Seconds)$"
)


class Field(NamedTuple):
    """A field of a spec that a flag can set."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    required: bool
    sealed: bool

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


def fields(
    catalogue: "Catalogue", schema: Mapping[str, Any], sealed: Sequence[str] = ()
) -> Iterator[Field]:
    """The fields of a schema; objects are entered, to a depth."""
    yield from _fields(catalogue, catalogue.resolve(schema), (), True, frozenset(sealed))


def _fields(
    catalogue: "Catalogue",
    schema: Mapping[str, Any],
    above: tuple[str, ...],
    required: bool,
    sealed: frozenset[str],
) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, raw in schema.get("properties", {}).items():
        inner, path = catalogue.resolve(raw), (*above, name)
        must = required and name in needed
        if "properties" in inner and not is_reference(inner) and len(path) < DEPTH:
            yield from _fields(catalogue, inner, path, must, sealed)
        else:
            yield Field(path, inner, must, path[0] in sealed)


def is_reference(schema: Mapping[str, Any]) -> bool:
    """Whether it is SECA's reference object, written as its name or URN."""
    return schema.get("title") == "Reference" and "resource" in schema.get("properties", {})


class Value(click.ParamType[Any]):
    """Anything as JSON or YAML, or ``@FILE`` of it."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        import yaml

        if not isinstance(value, str):
            return value
        try:
            text = Path(value[1:]).read_text("utf-8") if value.startswith("@") else value
            return yaml.safe_load(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            self.fail(f"{value[:60]!r} is not JSON or YAML: {error}", param, ctx)


class Whole(click.ParamType[int]):
    """A whole number, with the units that the field's name allows."""

    def __init__(self, field: str) -> None:
        self.unit = "size" if _BYTES.search(field) else "time" if _SECONDS.search(field) else ""
        self.name = {"size": "size", "time": "duration"}.get(self.unit, "integer")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        read = {"size": parse_bytes, "time": parse_seconds}.get(self.unit, int)
        try:
            return read(value)
        except BadSetting as error:
            self.fail(f"{error.message}. {error.hint}", param, ctx)
        except ValueError:
            self.fail(f"{value!r} is not a whole number", param, ctx)


class Pair(click.ParamType[tuple[str, Any]]):
    """``KEY=VALUE``."""

    name = "key=value"

    def __init__(self, inner: Mapping[str, Any]) -> None:
        self.inner = inner

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text if self.inner.get("type", "string") == "string" else _guess(text)


class FieldOption(click.Option):
    """The flag of a field."""

    panel = PANEL

    def __init__(self, field: Field, names: Sequence[str], **how: Any) -> None:
        super().__init__(names, **how)
        self.field = field

    def apply(self, spec: dict[str, Any], value: Any) -> None:
        """Set the field in a spec."""
        if isinstance(value, tuple):
            value = dict(value) if isinstance(self.type, Pair | SealedPair) else list(value)
        if is_reference(self.field.schema):
            value = {"resource": value}
        elif is_reference(self.field.schema.get("items", {})):
            value = [{"resource": name} for name in value]
        put(spec, self.field.path, value)


def options(
    catalogue: "Catalogue", schema: Mapping[str, Any], kind: "Kind | None" = None
) -> list[FieldOption]:
    """A flag for each field. None of them is required: ``-f`` and ``--set`` may say it."""
    from skerry.cli.complete import names_of

    made = []
    for field in fields(catalogue, schema, kind.secrets if kind else ()):
        how = _type(catalogue, field)
        if kind is not None and field.dotted in kind.refs:
            how |= {"shell_complete": names_of(kind.refs[field.dotted])}
        made.append(
            FieldOption(
                field,
                (
                    _flag(field, bool(how.get("is_flag"))),
                    "field_" + re.sub(r"\W", "_", "__".join(field.path)),
                ),
                default=None,
                help=help_of(field),
                show_default=False,
                **how,
            )
        )
    return made


def _flag(field: Field, switch: bool) -> str:
    words = [re.sub(r"(?<!^)([A-Z])", r"-\1", part).lower() for part in field.path]
    name = ".".join(words)
    name = f"spec-{name}" if name in RESERVED | TAKEN else name
    return f"--{name}/--no-{name}" if switch else f"--{name}"


TAKEN = frozenset(
    ("help", "file", "set", "label", "annotation", "dry-run", "wait", "no-wait", "detach",
     "wait-timeout", "yes", "if-version")
)  # fmt: skip


def _type(catalogue: "Catalogue", field: Field) -> dict[str, Any]:
    schema = field.schema
    if field.sealed and schema.get("format") == "file":
        return {"type": SealedText(file=True), "metavar": "FILE|-"}
    if field.sealed and schema.get("type") == "string":
        return {"type": SealedText(), "metavar": "@FILE|-"}
    if field.sealed and schema.get("type") == "object" and "properties" not in schema:
        return {"multiple": True, "type": SealedPair(), "metavar": "KEY[=@FILE]"}
    if is_reference(schema):
        return {"type": str, "metavar": "NAME"}
    if "enum" in schema and all(isinstance(v, str) for v in schema["enum"]):
        return {"type": click.Choice(schema["enum"])}
    match schema.get("type"):
        case "string":
            return {"type": str, "metavar": "TEXT"}
        case "integer":
            return {"type": Whole(field.path[-1])}
        case "boolean":
            return {"is_flag": True}
        case "number":
            return {"type": float}
        case "array":
            items = catalogue.resolve(schema.get("items", {}))
            if is_reference(items) or items.get("type") in ("string", "integer"):
                inner = Field(field.path, items, False, False)
                return {"multiple": True, **_type(catalogue, inner)}
        case "object" if "properties" not in schema:
            inner_schema = schema.get("additionalProperties")
            if isinstance(inner_schema, dict) and "type" in inner_schema:
                return {"multiple": True, "type": Pair(inner_schema), "metavar": "KEY=VALUE"}
    return {"type": Value(), "metavar": "JSON"}


def help_of(field: Field) -> str:
    """The description, and what the schema says of its values."""
    schema = field.schema
    text = str(schema.get("description", "")).strip().split("\n\n")[0]
    text = " ".join(text.split()).removesuffix(".")
    notes = ["required"] if field.required else []
    if field.sealed:
        notes.append("sealed")
    if "default" in schema and schema["default"] not in ("", None, [], {}, False):
        notes.append(f"default: {formats.scalar(field.path[-1], schema['default'])}")
    return f"{text}  [{'; '.join(notes)}]".strip() if notes else text


def gathered(ctx: click.Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The spec that the flags given make."""
    spec: dict[str, Any] = {}
    for param in ctx.command.params:
        value = values.get(param.name or "")
        if isinstance(param, FieldOption) and value is not None and value != ():
            param.apply(spec, value)
    return spec


def put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set the value at a path, making what is above it; a number steps into a list.

    Raises ``BadSetting`` where something else than an object or list is in the way.
    """
    here: Any = document
    for depth, step in enumerate(path):
        last = depth == len(path) - 1
        empty: Any = [] if not last and path[depth + 1].isdigit() else {}
        if isinstance(here, list) and step.isdigit() and int(step) <= len(here):
            if int(step) == len(here):
                here.append(empty)
            if last:
                here[int(step)] = value
            here = here[int(step)]
        elif isinstance(here, dict):
            if last and value is None:
                here.pop(step, None)
            elif last:
                here[step] = value
            else:
                here = here.setdefault(step, empty)
        else:
            raise BadSetting(f"{'.'.join(path[: depth + 1])} can't be set", hint="Check the path.")


def assign(document: dict[str, Any], words: Sequence[str]) -> None:
    """``--set a.b=value``; the value is JSON if it can be read as such, else text."""
    for word in words:
        path, equals, text = word.partition("=")
        if not path or not equals:
            raise BadSetting(f"{word[:60]!r} is not PATH=VALUE", hint="Write --set a.b=c.")
        put(document, path.split("."), _guess(text))


def _guess(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``: objects are merged, all else is replaced."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        out[key] = (
            merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return out
