"""``login``, ``whoami`` and ``status``: who asks, and how the cloud is."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click

from skerry.cli import formats, output
from skerry.cli.commands.context import learn
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import AUTH, FAILURE, Failed
from skerry.cli.rooms import BASE
from skerry.client import config
from skerry.client.errors import BadSetting, Forbidden, SkerryError

PROOF = "/providers/skerry.proof/v1"
STATUS = f"{BASE}/status"


@pass_session
def _login(
    session: Session,
    user: str,
    password_stdin: bool,
    issuer: str,
    no_browser: bool,
    second_factor: bool,
    drop_second_factor: bool,
    service_account: str,
    id_token_file: str,
) -> None:
    if service_account:
        _exchange(session, service_account, id_token_file)
        return
    if issuer:
        if not session.settings.tenant:
            raise BadSetting("login needs --tenant", hint="Name the tenant to work in.")
        from skerry.cli.commands.browser import sign_in

        _keep(session, sign_in(session, issuer, not no_browser))
        return
    tenant = session.settings.tenant
    if not tenant or not user:
        if not sys.stdin.isatty():
            raise BadSetting("login needs --tenant and --user", hint="Give both as flags.")
        tenant = tenant or click.prompt("Tenant", err=True)
        user = user or click.prompt("User", err=True)
    password = _password("login", password_stdin)
    client, given = session.client, {"tenant": tenant, "user": user, "password": password}
    if drop_second_factor:
        client.drop_second_factor(**given, code=_code())
        click.echo("the second factor is dropped")
        return
    if second_factor:
        begun = client.begin_second_factor(**given)
        click.echo(f"{begun['text']}\n{begun['uri']}")
        given["code"] = _code()
    try:
        found = client.sign_in(**given)
    except Forbidden as refused:
        if not refused.type.endswith("second-factor-required"):
            raise
        found = client.sign_in(**given, code=_code())
    _keep(session, found)
    if codes := found.get("recoveryCodes"):
        session.note("Each of these works once in place of a code; they are not shown again:")
        click.echo("\n".join(codes))


def _code() -> str:
    """A code of the second factor: asked for, or the line after the password."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(click.prompt("Code", err=True))


def _exchange(session: Session, account: str, file: str) -> None:
    """For programs: another issuer's token, from a file or standard input, for one of ours."""
    tenant = session.settings.tenant
    if not tenant or not file:
        raise BadSetting(
            "an exchange needs --tenant and --id-token-file",
            hint="Standard input is the file '-'.",
        )
    try:
        token = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{file} can't be read", detail=str(error)) from None
    found = session.client.exchange(tenant, account, token.strip())
    until = datetime.now(UTC) + timedelta(seconds=int(found["expires_in"]))
    subject = f"service-accounts/{account}"
    kept = {"token": found["access_token"], "tenant": tenant, "subject": subject}
    _keep(session, {**kept, "expiresAt": until.isoformat()})


def _password(command: str, from_stdin: bool, again: bool = False) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, err=True, confirmation_prompt=again))
    raise Failed(
        f"{command} needs a password and nobody can be asked",
        hint="Give it on standard input with --password-stdin.",
        code=2,
    )


def _keep(session: Session, found: dict[str, Any]) -> None:
    """Keep a session's token in the context."""
    settings = session.settings
    tenant, who = str(found["tenant"]), str(found["subject"]).removeprefix("users/")
    known = config.load_contexts()
    name = session.given.get("context") or known.current or "default"
    kept = replace(settings, token=found["token"], tenant=tenant)
    config.save_contexts(known.having(name, kept, use=True))
    until = formats.moment(str(found.get("expiresAt", "")))
    click.echo(f"signed in as {who}@{tenant} until {until}, in context {name}")
    session.given |= {"context": name, "token": found["token"]}
    session.__dict__.pop("client", None)
    session.__dict__.pop("settings", None)
    learn(session)


login = Command(
    "login",
    callback=_login,
    params=[
        click.Option(["--user", "-u"], metavar="NAME", default="", help="Who signs in"),
        click.Option(["--password-stdin"], is_flag=True, help="Read the password from stdin"),
        click.Option(
            ["--issuer"], metavar="NAME", default="", help="Sign in there, with the browser"
        ),
        click.Option(["--no-browser"], is_flag=True, help="Print the address, open nothing"),
        click.Option(
            ["--service-account"],
            metavar="NAME",
            default="",
            help="Exchange another issuer's token for one of this account",
        ),
        click.Option(
            ["--id-token-file"], metavar="FILE", default="", help="Where that token is; - is stdin"
        ),
        click.Option(["--second-factor"], is_flag=True, help="Set up a second factor first"),
        click.Option(
            ["--drop-second-factor"], is_flag=True, help="Drop it, with a code; signs nobody in"
        ),
    ],
    help="Sign in with a password, or at an issuer; the token is kept in the context.",
)


@pass_session
def _join(session: Session, link: str, password_stdin: bool) -> None:
    code = parse_qs(urlsplit(link).query).get("code", [link])[0]
    password = _password("join", password_stdin, again=True)
    found = session.client.join(code, password)
    session.note(f"You are {found['user']} in tenant {found['tenant']}.")
    click.echo(f"skerry login --tenant {found['tenant']} --user {found['user']}")


join = Command(
    "join",
    callback=_join,
    params=[
        click.Argument(["link"], metavar="LINK"),
        click.Option(["--password-stdin"], is_flag=True, help="Read the password from stdin"),
    ],
    help="Accept an invitation, or set a new password, by a link that works once.",
)


@pass_session
def _whoami(session: Session) -> None:
    found = session.client.whoami()
    if session.form.is_document:
        output.document(found, session.form)
    else:
        click.echo("\n".join(output.described(found)))


whoami = Command("whoami", callback=_whoami, params=[], help="Show who the token is.")


@pass_session
def _status(session: Session) -> None:
    client, settings = session.client, session.settings
    found: dict[str, Any] = {"url": settings.url, "ready": _answers(session, "/readyz")}
    if not found["ready"]:
        output.document(found, session.form) if session.form.is_document else None
        raise Failed(f"the cloud at {settings.url} is not ready", hint="Look at its log.")
    try:
        found["who"] = client.whoami()
    except SkerryError as error:
        found["who"] = None
        session.note(f"Not signed in: {error.detail or error.message}")
    found["tenant"], found["workspace"] = settings.tenant, settings.workspace
    if (found["who"] or {}).get("operator"):
        found["cloud"] = client.get(STATUS)
    else:
        found["log"] = _log_size(session)
    if session.form.is_document:
        output.document(found, session.form)
    else:
        told = {k: v for k, v in found.items() if v not in (None, "")}
        told |= {"cloud": _plain(told["cloud"])} if "cloud" in told else {}
        click.echo("\n".join(output.described(told)))
    if found["who"] is None:
        click.get_current_context().exit(AUTH)


def _plain(cloud: dict[str, Any]) -> dict[str, Any]:
    """How the cloud is, in the words of a person."""

    def ago(seconds: float | None) -> str:
        return "never" if seconds is None else f"{formats.duration(seconds)} ago"

    queue, log, disk, ledger = (cloud[name] for name in ("queue", "log", "disk", "ledger"))
    sums = "balances" if ledger["balanced"] else "DOES NOT BALANCE: skerry audit verify"
    return {
        "version": cloud["version"],
        "processes": [
            f"{one['name']}: {', '.join(one['roles']) or 'all'}, version {one['version']},"
            f" for {formats.age(one['startedAt'])}"
            for one in cloud["processes"]
        ],
        "sites and hosts": [
            f"{one['at']}: heard {ago(one['silentSeconds'])}"
            + (f", agent {one['version']}" if one["version"] else "")
            for one in cloud["places"]
        ],
        "queue": f"{queue['flows']} in progress, {queue['due']} due, {queue['failing']} failing,"
        f" {queue['overdue']} overdue",
        "alerts": f"{cloud['alerts']['open']} open"
        + ("" if not cloud["alerts"]["open"] else ": skerry alert list --all"),
        "log": f"{log['size']} changes, {log['waiting']} to come;"
        f" checkpoint {ago(log['checkpointAgeSeconds'])}",
        "ledger": f"{sums}; {ledger['metered']} meters run",
        "disk": f"{formats.size(disk['freeBytes'])} of {formats.size(disk['totalBytes'])} free,"
        f" {formats.size(disk['databaseBytes'])} database",
    }


def _answers(session: Session, path: str) -> bool:
    from skerry.client.errors import ServerError

    try:
        session.client.request("GET", path)
    except ServerError:
        return False
    return True


def _log_size(session: Session) -> int | None:
    """How many changes the log holds, by its checkpoint."""
    from skerry.client.errors import NotFound

    try:
        lines = session.client.request("GET", f"{PROOF}/checkpoint").body.decode().split("\n")
    except NotFound:
        return None
    if len(lines) < 2 or not lines[1].isdigit():
        raise Failed("the checkpoint can't be read", code=FAILURE)
    return int(lines[1])


status = Command(
    "status", callback=_status, params=[], help="Show how the cloud is and who you are in it."
)
