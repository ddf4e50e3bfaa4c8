"""The options of ``skerry up`` that are the gateway's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from skerry.gateway.settings import BASE, GatewaySettings

F = TypeVar("F", bound=Callable[..., Any])
file_option = click.Path(exists=True, dir_okay=False, path_type=Path)


def _listen(ctx: click.Context, param: click.Parameter, value: str) -> str:
    host, colon, port = value.rpartition(":")
    if value not in ("", "none") and not (colon and host and port.isdecimal()):
        raise click.BadParameter("write HOST:PORT, such as 127.0.0.1:8421")
    return value


def _ports(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    first, dash, last = value.partition("-")
    if not value:
        return 0, -1
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise click.BadParameter("write FIRST-LAST, such as 20000-20099")
    found = int(first), int(last) if dash else int(first)
    if not 0 < found[0] <= found[1] < 65536:
        raise click.BadParameter("ports are from 1 to 65535, the lower one first")
    return found


_OPTIONS = (
    click.option(
        "--gateway",
        "gateway_listen",
        default="",
        callback=_listen,
        metavar="HOST:PORT|none",
        envvar="SKERRY_GATEWAY",
        show_default="the API's host, one port higher",
        help="Where routes answer",
    ),
    click.option(
        "--gateway-domain",
        default=BASE,
        metavar="NAME",
        help="Routes get names below this; all of them must lead to the gateway",
    ),
    click.option(
        "--gateway-port",
        type=click.IntRange(1, 65535),
        show_default="the one it listens on",
        help="The port in the URLs of routes",
    ),
    click.option(
        "--gateway-http",
        default="",
        callback=_listen,
        metavar="HOST:PORT",
        help="With TLS: take plain HTTP there, send it to HTTPS, and answer ACME",
    ),
    click.option(
        "--gateway-tls-cert",
        type=file_option,
        help="Certificate chain in PEM; read again when it changes",
    ),
    click.option("--gateway-tls-key", type=file_option, help="Its key in PEM"),
    click.option(
        "--gateway-ca", is_flag=True, help="Make certificates with an authority of this cloud's own"
    ),
    click.option(
        "--gateway-acme",
        default="",
        metavar="URL",
        help="Get certificates from an ACME directory, which asks at port 80 with --gateway-http, "
        "else at 443",
    ),
    click.option("--gateway-acme-email", default="", help="Whom the directory may write to"),
    click.option(
        "--gateway-acme-ca", type=file_option, help="Whom to trust as the directory, in PEM"
    ),
    click.option(
        "--gateway-tcp",
        default="",
        callback=_ports,
        metavar="FIRST-LAST",
        show_default="none",
        help="Ports for routes that are not HTTP",
    ),
)


def gateway_options(command: F) -> F:
    """Add the gateway's options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take(given: dict[str, Any]) -> GatewaySettings | None:
    """Take the gateway's options out of a command's, whose ``listen`` is the API's; None: no
    gateway. Raises ``click.UsageError`` for what does not go together."""
    names = [name for name in given if name.startswith("gateway_")]
    own = {name.removeprefix("gateway_"): given.pop(name) for name in names}
    host, _, port = str(given["listen"]).rpartition(":")
    if own["listen"] == "none":
        return None
    if bool(own["tls_cert"]) != bool(own["tls_key"]):
        raise click.UsageError("--gateway-tls-cert and --gateway-tls-key go together")
    if own["ca"] and own["acme"]:
        raise click.UsageError("--gateway-ca and --gateway-acme exclude each other")
    api = host.strip("[]")
    settings = GatewaySettings(
        listen=own["listen"] or f"{host}:{int(port) + 1 if int(port) else 0}",
        base=own["domain"].lower().strip("."),
        port=own["port"] or 0,
        http=own["http"],
        cert=own["tls_cert"],
        key=own["tls_key"],
        authority=own["ca"],
        acme=own["acme"],
        acme_email=own["acme_email"],
        acme_ca=own["acme_ca"],
        tcp=own["tcp"],
        reserved=(api.lower(), "localhost"),
    )
    if settings.http and not settings.tls:
        raise click.UsageError("--gateway-http goes with TLS: give certificates as well")
    return settings
