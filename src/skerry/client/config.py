"""Settings: where the cloud is and who asks.

Each setting comes from the first of: the argument (or flag), the environment (``SKERRY_URL``,
``SKERRY_TOKEN``, ``SKERRY_TENANT``, ``SKERRY_WORKSPACE``, ``SKERRY_CA_FILE``), the context.
Contexts are named and kept in ``$XDG_CONFIG_HOME/skerry/contexts.json`` (mode 0600, written
whole), since they hold tokens; ``SKERRY_CONTEXT`` picks one.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from skerry.client.errors import BadSetting

FILE_FORMAT = "skerry-contexts/1"


@dataclass(frozen=True)
class Settings:
    """One context, or what the flags and the environment make of it."""

    url: str = ""
    token: str = field(default="", repr=False)
    tenant: str = ""
    workspace: str = ""
    ca_file: str = ""

    def over(self, below: "Settings") -> "Settings":
        """These settings, and those below them where these are empty."""
        values = {k: getattr(self, k) or getattr(below, k) for k in SETTINGS}
        return Settings(**values)


SETTINGS = tuple(f.name for f in fields(Settings))


@dataclass(frozen=True)
class Contexts:
    """The file of contexts."""

    current: str = ""
    named: Mapping[str, Settings] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Settings:
        if name not in self.named:
            known = ", ".join(sorted(self.named)) or "none yet"
            raise BadSetting(f"there is no context {name!r}", hint=f"Contexts: {known}.")
        return self.named[name]

    def having(self, name: str, settings: Settings, use: bool) -> "Contexts":
        """With one added or replaced."""
        current = name if use or not self.current else self.current
        return Contexts(current, {**self.named, name: settings})

    def without(self, name: str) -> "Contexts":
        """With one removed. Raises ``BadSetting`` if it is not there."""
        self[name]
        left = {k: v for k, v in self.named.items() if k != name}
        return Contexts("" if self.current == name else self.current, left)


def config_dir() -> Path:
    """The folder of Skerry's settings for this user."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "skerry"


def contexts_file() -> Path:
    return config_dir() / "contexts.json"


def catalogue_file(context: str) -> Path:
    """Where the catalogue that a context's cloud told is kept."""
    return config_dir() / "catalogues" / f"{context}.json"


def load_contexts() -> Contexts:
    """Read the file; none is the same as an empty one. Raises ``BadSetting`` if it is broken."""
    path = contexts_file()
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FILE_FORMAT:
            raise ValueError(f"its format is {document['format']!r}, not {FILE_FORMAT}")
        named = {k: Settings(**v) for k, v in document["contexts"].items()}
        return Contexts(str(document["current"]), named)
    except FileNotFoundError:
        return Contexts()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSetting(
            f"the contexts in {path} can't be read",
            detail=str(error),
            hint="Mend or remove the file, then run skerry context create.",
        ) from None


def save_contexts(contexts: Contexts) -> None:
    """Write the file whole, readable by this user only."""
    path = contexts_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    document: dict[str, Any] = {
        "format": FILE_FORMAT,
        "current": contexts.current,
        "contexts": {name: asdict(settings) for name, settings in contexts.named.items()},
    }
    import tempfile

    # mkstemp makes the file with mode 0600; rename keeps it.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".contexts-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2)
            stream.write("\n")
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def from_environment() -> Settings:
    """What the environment says."""
    return Settings(**{k: os.environ.get(f"SKERRY_{k.upper()}", "") for k in SETTINGS})


def resolve(given: Settings, context: str = "") -> Settings:
    """Arguments over environment over context.

    ``context`` or ``SKERRY_CONTEXT`` names a context that must exist; else the current one counts,
    if any. A context belongs to its cloud: where argument or environment name another address,
    nothing of it is used, so that its token is not sent there.
    """
    above = given.over(from_environment())
    name = context or os.environ.get("SKERRY_CONTEXT", "")
    if not name and above.url and above.token and above.tenant and above.workspace:
        return above
    contexts = load_contexts()
    name = name or contexts.current
    below = contexts[name] if name else Settings()
    if above.url and above.url.rstrip("/") != below.url.rstrip("/"):
        below = Settings()
    return above.over(below)
