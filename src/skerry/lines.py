"""How what happens is told: one structured line each, with the request that it comes from."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import msgspec
import structlog

from skerry.api.requests import CURRENT
from skerry.logfile import LogFile


def configure_log(log: Path | None, verbose: bool) -> None:
    """Structured lines: to a file if one is given, else to stderr."""
    stream: Any = LogFile(log) if log else sys.stderr
    tty = log is None and sys.stderr.isatty()
    structlog.configure(
        processors=[
            _of_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=stream, level=logging.WARNING)


def _of_request(logger: Any, name: str, line: Any) -> Any:
    """The id of the request that a line comes from, wherever it is written."""
    if (request := CURRENT.get("")) and "request" not in line:
        line["request"] = request
    return line


def _json(line: dict[str, Any], **_: Any) -> str:
    try:
        return msgspec.json.encode(line, enc_hook=repr).decode()
    except (UnicodeEncodeError, TypeError):  # a file's name that is no text, a key that is none
        return json.dumps(line, default=repr, skipkeys=True)
