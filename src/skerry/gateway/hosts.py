"""Names and ports of routes: who may have which.

A name belongs to one route in the whole cloud; the table ``gateway_host`` holds that. Each HTTP
route has an automatic name below the gateway's base. Names of a tenant's own must be below a domain
that the operator granted to the tenant (the kind ``domain``): only the operator can tell who may
speak for a name, since whoever's name leads to this gateway leads to every tenant's routes. The
operator's own tenant may have any name that no other tenant was granted.
"""

import hashlib
import uuid

from skerry.kernel.errors import Conflict, Forbidden, Source, ValidationError
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.kernel.rows import Resource
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.gateway")
_LABEL = 63
_HOSTS = [Source(pointer="/spec/hosts")]
_PORT = [Source(pointer="/spec/tcpPort")]


def automatic(route: Resource, base: str, *, plain: bool = True) -> str:
    """The name below ``base``. One that is not ``plain`` ends in a hash, which nothing else has."""
    label = f"{route.name}-{route.workspace}-{route.tenant}".replace(".", "-")
    if not plain or len(label) > _LABEL or "--" in label[2:4]:
        mark = hashlib.sha256(route.ref.encode()).hexdigest()[:10]
        label = f"{label[: _LABEL - 11].rstrip('-')}-{mark}"
        if "--" in label[2:4]:  # such labels mean something else in DNS
            label = f"r{mark}"
    return f"{label}.{base}"


async def claim(tx: Tx, route: Resource, base: str, reserved: tuple[str, ...]) -> list[str]:
    """Claim the names that the route wants, and give up those it no longer does; all its names,
    the automatic one first."""
    names = list(dict.fromkeys(route.spec.get("hosts") or ()))
    for name in names:
        await _check(tx, route, name, base, reserved)
    await tx.execute(_sql.release_hosts, route.uid, [*names, *_automatic(route, base)])
    for name in sorted(names):
        if await tx.fetchval(_sql.claim_host, name, route.uid, False) != route.uid:
            raise Conflict(
                f"the name {name!r} is another route's",
                hint="Take it from that route first, or use another name.",
                sources=_HOSTS,
            )
    return [*[name for name in [await _named(tx, route, base)] if name], *names]


def _automatic(route: Resource, base: str) -> list[str]:
    return [automatic(route, base), automatic(route, base, plain=False)] if base else []


async def _named(tx: Tx, route: Resource, base: str) -> str:
    for name in _automatic(route, base):
        if await tx.fetchval(_sql.claim_host, name, route.uid, True) == route.uid:
            return name
    return ""


async def _check(tx: Tx, route: Resource, name: str, base: str, reserved: tuple[str, ...]) -> None:
    if base and (name == base or name.endswith(f".{base}")):
        raise ValidationError(
            f"names below {base} are given by the gateway",
            hint="Leave it out: each route has a name of its own there.",
            sources=_HOSTS,
        )
    if name in reserved or name.rpartition(".")[2].isdecimal():
        raise Forbidden(f"{name!r} can be no route's name", sources=_HOSTS)
    labels = name.split(".")
    above = [".".join(labels[at:]) for at in range(len(labels))]
    domain = await tx.fetchrow(_sql.domain_of, above)
    owner = domain["tenant"] if domain else OPERATOR_TENANT
    if owner != route.tenant:
        raise Forbidden(
            f"tenant {route.tenant!r} may not use the name {name!r}",
            hint="Ask the operator to grant the domain: they check that it is yours, then create "
            f"it with `skerry domain create {above[min(1, len(above) - 1)]}`.",
            sources=_HOSTS,
        )


async def port(tx: Tx, route: Resource, first: int, last: int) -> int:
    """The route's port: what it has, what it wants, or one that is free."""
    has: int | None = await tx.fetchval(_sql.port_of, route.uid)
    if has is not None:
        return has
    wanted = int(route.spec.get("tcpPort") or 0)
    if wanted and not first <= wanted <= last:
        raise ValidationError(
            f"port {wanted} is not one of the gateway's for TCP"
            + (f", {first} to {last}" if first <= last else ": it has none"),
            sources=_PORT,
        )
    free = (
        [wanted] if wanted else [row["p"] for row in await tx.fetch(_sql.free_ports, first, last)]
    )
    for number in free:
        if await tx.fetchval(_sql.claim_port, number, route.uid) == route.uid:
            return number
    raise Conflict(
        f"port {wanted} is another route's" if wanted else "no port of the gateway is free",
        hint="Leave tcpPort out to get a free one."
        if wanted
        else "Ask the operator for more ports: `skerry up --gateway-tcp FIRST-LAST`.",
        sources=_PORT,
    )


async def release(tx: Tx, route: uuid.UUID) -> None:
    """The route goes: its names and its port are free."""
    await tx.execute(_sql.release_hosts, route, [])
    await tx.execute(_sql.release_port, route)
