"""The least spec that a kind takes, made from its own schema.

Some kinds ask for more than a schema can say, or take only certain names; what those take is given
in ``GIVEN`` and ``NAMES``. A kind whose least spec is fine, as a new product's should be, needs no
line here.
"""

import re
from typing import Any

import msgspec

from skerry.kernel.kinds import Kind

Schema = dict[str, Any]

LOG_KEY = "skerry/sample+f41290c2+Af7BQoZz9q/okmSzgHNErosmnRJaUDhVICaH21pxKFef"
WITNESS_KEY = "skerry/sample+5cd14f76+BP7BQoZz9q/okmSzgHNErosmnRJaUDhVICaH21pxKFef"

GIVEN: dict[str, Schema] = {
    "offer": {"currency": "EUR", "pool": {"millicores": 1000, "memory": 1 << 30}},
    # One that machines may join. No agent ever comes, so nothing is placed there.
    "site": {"driver": "local", "region": "home", "zone": "home-1"},
    # A day that does not come while tests run.
    "maintenance": {"start": "2099-12-30T00:00:00Z", "end": "2099-12-31T00:00:00Z"},
    "schedule": {"cron": "0 0 29 2 1", "job": {"command": ["true"]}},
    "issuer": {"url": "https://issuer.example/one"},
    "invitation": {"email": "somebody.new@example.com"},
    "secret": {"data": {"key": "value"}},
    "token": {"subject": "somebody"},
    "job": {"command": ["true"]},
    "pod": {"command": ["serve"]},
    "service": {"command": ["serve"], "port": 8000},
    "budget": {"amount": "10"},
    "voucher": {"amount": "5", "lastDay": "2099-12-31"},
    "agreement": {"commitment": "1", "startsOn": "2026-01-01"},
    "seller": {
        "legalName": "Seller",
        "street": "Street 1",
        "city": "Hamburg",
        "country": "DE",
        "taxNumber": "22/815/08150",
    },
    # Of a workspace where nothing runs.
    "queue": {"workspaces": ["elsewhere"], "quotas": [{"resource": "gpus", "nominal": 8}]},
    "quote": {"kind": "job", "spec": {"command": ["true"]}},
    "witness": {"endpoint": "https://witness.example", "key": WITNESS_KEY},
    "witnessed-log": {"key": LOG_KEY},
    "webhook": {"endpoint": "https://hooks.example/in"},
    "role": {"permissions": [{"provider": "seca.workspace", "resources": ["*"], "verb": ["get"]}]},
}
NAMES = {"quota": "job", "billing-account": "main", "seller": "main", "queue": "main"}


def name_of(kind: Kind, otherwise: str) -> str:
    """A name that the kind takes."""
    return NAMES.get(kind.noun, otherwise)


def sample(kind: Kind) -> dict[str, Any]:
    """A valid spec, with no more fields than must be there."""
    if kind.noun in GIVEN:
        return GIVEN[kind.noun]
    made = example(kind.spec)
    assert isinstance(made, dict)
    return made


def example(struct: Any) -> Any:
    """A valid value of a struct, as JSON."""
    (schema,), parts = msgspec.json.schema_components([struct], ref_template="{name}")
    return _value(schema, parts)


def _value(schema: Schema, parts: dict[str, Schema]) -> Any:
    if "$ref" in schema:
        return _value(parts[schema["$ref"]], parts)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _value(schema[choice][0], parts)
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    return _TYPES[schema["type"]](schema, parts) if "type" in schema else {}


def _object(schema: Schema, parts: dict[str, Schema]) -> Any:
    fields = schema.get("properties", {})
    return {name: _value(fields[name], parts) for name in schema.get("required", [])}


def _array(schema: Schema, parts: dict[str, Schema]) -> Any:
    return [_value(schema["items"], parts) for _ in range(schema.get("minItems", 0))]


def _string(schema: Schema, parts: dict[str, Schema]) -> str:
    formats = {
        "date-time": "2100-01-01T00:00:00Z",
        "duration": "PT1S",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
    if schema.get("format") in formats:
        return formats[schema["format"]]
    pattern = schema.get("pattern")
    text = "x" * max(1, schema.get("minLength", 0))
    candidates = [text, "sha256:" + "0" * 64, "a@b", "EU", "DE", "EUR", "1", "2026-01", "v1", ""]
    return next(c for c in candidates if pattern is None or re.search(pattern, c))


def _integer(schema: Schema, parts: dict[str, Schema]) -> int:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return max(0, int(least))


_TYPES = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _integer,
    "boolean": lambda schema, parts: False,
    "null": lambda schema, parts: None,
}
