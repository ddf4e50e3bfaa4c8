"""Exit codes, and how an error is told.

An error has four parts: what failed, why, what to do, where it is explained; and the request id if
the cloud answered. With ``-o json`` the same stands on stderr as one JSON object.
"""

import json
import os
import sys
from typing import Any

import click

from skerry.cli import formats
from skerry.client.errors import (
    BadSetting,
    Conflict,
    Forbidden,
    InvalidRequest,
    NoCapacity,
    NotFound,
    ProblemError,
    SkerryError,
    Unauthenticated,
    WaitTimeout,
)

OK, FAILURE, USAGE, NOT_FOUND, AUTH, CONFLICT, NO_CAPACITY = range(7)
TIMEOUT = 124
INTERRUPTED = 130

TABLE = {
    OK: "success",
    FAILURE: "failure",
    USAGE: "wrong usage, settings or values",
    NOT_FOUND: "it does not exist",
    AUTH: "not signed in, or not allowed",
    CONFLICT: "its present state forbids it",
    NO_CAPACITY: "nothing offered can hold it",
    TIMEOUT: "the wait took too long",
    INTERRUPTED: "interrupted",
}


class Failed(SkerryError):
    """A command failed in a way of its own, with this exit code."""

    def __init__(
        self, message: str, *, detail: str = "", hint: str = "", code: int = FAILURE
    ) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.code = code


def code_of(error: BaseException) -> int:
    """The exit code for an error."""
    match error:
        case Failed(code=code):
            return code
        case click.ClickException(exit_code=code):
            return code
        case WaitTimeout(last=last) if last is not None and last.phase == "queued":
            return NO_CAPACITY
        case WaitTimeout():
            return TIMEOUT
        case BadSetting() | InvalidRequest():
            return USAGE
        case Unauthenticated() | Forbidden():
            return AUTH
        case NotFound():
            return NOT_FOUND
        case Conflict():
            return CONFLICT
        case NoCapacity():
            return NO_CAPACITY
    return FAILURE


def docs_of(error: BaseException, noun: str) -> str:
    """The command that explains what went wrong."""
    match error:
        case Unauthenticated():
            return "skerry login --help"
        case Forbidden():
            return "skerry explain role"
        case InvalidRequest() if noun:
            return f"skerry explain {noun}"
        case click.UsageError(ctx=click.Context() as ctx):
            return f"{ctx.command_path} --help"
    return "skerry --help" if code_of(error) == USAGE else ""


def parts(error: BaseException, noun: str = "") -> dict[str, Any]:
    """An error as a JSON object; empty parts are left out."""
    out: dict[str, Any] = {"exitCode": code_of(error), "docs": docs_of(error, noun)}
    if isinstance(error, SkerryError):
        out |= {"message": error.message, "detail": error.detail, "hint": error.hint}
        out["requestId"] = error.request_id
    elif isinstance(error, click.ClickException):
        out["message"] = error.format_message()
    else:
        out |= {"message": type(error).__name__, "detail": str(error)}
    if isinstance(error, ProblemError):
        out |= {"status": error.status, "type": error.type}
        out["sources"] = [{k: v for k, v in s._asdict().items() if v} for s in error.sources]
    return {k: v for k, v in out.items() if v not in ("", [])}


def tell(error: BaseException, *, noun: str = "", as_json: bool = False) -> int:
    """Print an error on stderr; its exit code."""
    told = parts(error, noun)
    if as_json:
        click.echo(json.dumps({"error": told}, ensure_ascii=False), err=True)
        return code_of(error)
    told = {k: formats.printable(v) if isinstance(v, str) else v for k, v in told.items()}
    message, detail = told["message"], told.get("detail", "")
    click.echo(f"Error: {message}{f': {detail}' if detail else ''}", err=True)
    for line in _fields(error, detail):
        click.echo(f"- {formats.printable(line)}", err=True)
    for title, key in (("Hint", "hint"), ("Docs", "docs"), ("Request", "requestId")):
        if key in told:
            click.echo(f"{title}: {told[key]}", err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        text = f"{message}: {detail}".replace("%", "%25").replace("\n", "%0A")
        click.echo(f"::error title=skerry::{text}", err=True)
    return code_of(error)


def leave(error: BaseException, noun: str, as_json: bool) -> int:
    """The last word on whatever ended the program; its exit code."""
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        quiet_pipe()
        return OK
    if isinstance(error, OSError):
        error = Failed(str(error.strerror or error), detail=str(error.filename or ""))
    return tell(error, noun=noun, as_json=as_json)


def _fields(error: BaseException, detail: str) -> list[str]:
    """One line for each field at fault, unless the text already names the only one."""
    if not isinstance(error, ProblemError):
        return []
    names = [s.pointer.strip("/").replace("/", ".") or s.parameter for s in error.sources]
    return [] if len(names) == 1 and names[0] in detail else [name for name in names if name]


def quiet_pipe() -> None:
    """Whoever read our output has gone: say nothing more into it."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
