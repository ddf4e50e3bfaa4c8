"""Reaching a webhook, and nothing else.

A tenant names the URL, and it is we who connect: without care, anybody could have us ask our own
services, our neighbours' and a cloud's metadata. So the name is resolved once, every address it has
must be one that is reached from everywhere (or lie in a range that the operator allows), and the
connection is made to the address that was judged, not to the name: a name that changes its mind in
between changes nothing. Redirects are not followed, no proxy is asked, and of the answer only its
beginning is read.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from urllib.parse import urlsplit, urlunsplit

from skerry.fetching import UNREACHABLE, fetch
from skerry.notices.outcome import Outcome
from skerry.notices.settings import NoticeSettings

SECONDS = 15.0
"""For all of it."""
MOST_READ = 4096
"""Bytes of an answer."""
_NEVER = tuple(
    ipaddress.ip_network(one)
    for one in (
        "168.63.129.16/32",  # public by its number, but within Azure the host of a machine
        "192.0.0.0/24",  # IETF's; within Oracle's cloud it has metadata
        "192.88.99.0/24",
        "64:ff9b::/96",  # these four stand for addresses of IPv4, which may be any
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "3fff::/20",
        "5f00::/16",
    )
)
"""Beside what ``ipaddress`` knows to be no public address, which differs between Pythons."""

_RESOLVERS = ThreadPoolExecutor(8, thread_name_prefix="webhooks")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """Skerry does not connect there. Its text says why."""


def judged(address: str, settings: NoticeSettings) -> Address:
    """The address, if webhooks may lead to it. Raises ``Refused``."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in settings.allowed if network.version == found.version):
        return found
    never = any(found in network for network in _NEVER if network.version == found.version)
    if never or not found.is_global or found.is_multicast:
        raise Refused(
            f"{found} is no public address. An operator may allow it: "
            f"skerry up --webhook-allow {found}"
        )
    return found


@cache
def trust() -> ssl.SSLContext:
    """Whom to believe who they are: the authorities that this machine trusts."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def resolved(host: str, port: int, settings: NoticeSettings) -> Address:
    """The address to connect to; each that the name has must be allowed. Raises ``Refused``,
    OSError."""
    addresses = [judged(one, settings) for one in await look_up(host, port)]
    return addresses[0]


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises OSError. Threads of its own: a name server that does not
    answer, and a tenant may have one, holds up nothing but webhooks."""
    loop = asyncio.get_running_loop()
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    return [str(found[4][0]) for found in await loop.run_in_executor(_RESOLVERS, ask)]


async def deliver(
    url: str, headers: Mapping[str, str], body: bytes, settings: NoticeSettings
) -> Outcome:
    """Post once. 2xx is delivered; 410 asks for no more."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(SECONDS):
            code = await _post(url, headers, body, settings)
    except Refused as refused:
        return Outcome(ok=False, said=str(refused))
    except TimeoutError:
        return Outcome(ok=False, said=f"no answer in {time.monotonic() - began:.0f} seconds")
    except (*UNREACHABLE, UnicodeError, ValueError) as error:
        words = str(error) or type(error).__name__
        return Outcome(ok=False, said=f"can't be reached: {words}"[:500])
    if 200 <= code < 300:
        return Outcome(ok=True, code=code, said=f"taken with {code}")
    if code == 410:
        said = "it answered 410: it wants nothing any more"
        return Outcome(ok=False, code=code, said=said, final=True, unwanted=True)
    said = f"it answered {code}" + ("; redirects are not followed" if 300 <= code < 400 else "")
    return Outcome(ok=False, code=code, said=said)


async def _post(url: str, headers: Mapping[str, str], body: bytes, settings: NoticeSettings) -> int:
    parts = urlsplit(url)
    if parts.scheme != "https" and not settings.plain_http:
        raise Refused("only HTTPS is spoken to webhooks here")
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await resolved(host, port, settings)
    literal = f"[{address}]" if address.version == 6 else str(address)
    pinned = urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, ""))
    sent = {**headers, "host": parts.netloc, "content-type": "application/json",
            "user-agent": "Skerry-Webhooks/1", "connection": "close"}  # fmt: skip
    answer = await fetch(
        "POST",
        pinned,
        most=MOST_READ,
        seconds=SECONDS,
        verify=trust(),
        trust_env=False,
        content=body,
        headers=sent,
        extensions={"sni_hostname": host},
    )
    return answer.status
