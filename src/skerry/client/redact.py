"""What must not be seen in a log: tokens, passwords and sealed fields, whatever their place."""

import json
import re
from collections.abc import Set
from typing import Any

HIDDEN = "[hidden]"
SECRET_HEADERS = frozenset(("authorization", "cookie", "set-cookie", "proxy-authorization"))
_SECRET_FIELD = re.compile(
    r"(?i)(password|passphrase|secret|token|privatekey|credential|verifier)|^(code|link)$"
)
MOST = 4096


def header(name: str, value: str) -> str:
    """A header's value as it may be shown."""
    return HIDDEN if name.lower() in SECRET_HEADERS else value


def body(data: bytes | None, content_type: str, sealed: Set[str]) -> str:
    """A body as it may be shown: JSON without its secrets, anything else by its size."""
    if not data:
        return ""
    if "json" not in content_type:
        return f"({len(data)} bytes of {content_type or 'unnamed type'})"
    try:
        value = json.loads(data)
    except ValueError:
        return f"({len(data)} bytes that are not JSON)"
    text = json.dumps(_clean(value, sealed), ensure_ascii=False)
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text)} characters)"


def _clean(value: Any, sealed: Set[str]) -> Any:
    if isinstance(value, dict):
        return {k: _field(k, v, sealed) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(v, sealed) for v in value]
    return value


def _field(name: str, value: Any, sealed: Set[str]) -> Any:
    if name not in sealed and not _SECRET_FIELD.search(name):
        return _clean(value, sealed)
    if isinstance(value, dict):
        return dict.fromkeys(value, HIDDEN)
    # A page token or a reference says nothing that must be hidden.
    return value if name == "skipToken" or value in (None, "") else HIDDEN
