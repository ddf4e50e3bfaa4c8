"""How what happens is told: one structured line each, with the request that it comes from."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from skerry.api.requests import CURRENT
from skerry.logfile import LogFile

_LEVELS = {"warn": "warning", "exception": "error"}
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def configure_log(log: Path | None, verbose: bool) -> None:
    """Structured lines: to a file if one is given, else to stderr."""
    stream: Any = LogFile(log) if log else sys.stderr
    tty = log is None and sys.stderr.isatty()
    structlog.configure(
        processors=[_complete, structlog.dev.ConsoleRenderer() if tty else _line],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=stream, level=logging.WARNING)


def _complete(logger: Any, name: str, line: Any) -> Any:
    """Add what every line has: the request that it comes from wherever it is written, the level,
    the time, and an error's trace. In one go, because each request writes a line."""
    if (request := CURRENT.get("")) and "request" not in line:
        line["request"] = request
    line["level"] = _LEVELS.get(name, name)
    line["timestamp"] = datetime.now(UTC).isoformat()[:-6] + "Z"
    if "exc_info" in line:
        return structlog.processors.format_exc_info(logger, name, line)
    return line


def _line(logger: Any, name: str, line: Any) -> str:
    try:
        return _encode(line).decode()
    except (UnicodeEncodeError, TypeError):  # a file's name that is no text, a key that is none
        return json.dumps(line, default=repr, skipkeys=True)
