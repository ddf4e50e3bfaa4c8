"""All networks of one agent's tasks."""

import asyncio
import contextlib
import fcntl
import ipaddress
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import structlog

from skerry.sites.contract import Refused
from skerry.sites.local.config import Config
from skerry.sites.local.networks import links, names, rules
from skerry.sites.local.networks.rules import Rules
from skerry.sites.local.view import Bind

_CANDIDATES = tuple(f"10.{n}.0.0/16" for n in (*range(83, 120), *range(160, 200)))
_FIRST = 2
"""The network's own address and the bridge's come before a task's."""
_LOCK = Path("/run/skerry-networks.lock")
_KEEP_SECONDS = 10.0
_LONGEST_ALIAS = 255
_log = structlog.get_logger("networks")


class Networks:
    """Made cheaply: nothing of the host is changed before the first ``make``."""

    def __init__(self, config: Config, data: Path, instance: str, root: bool) -> None:
        self._config, self._data, self._root = config, data, root
        self.bridge = f"{rules.PREFIX}{instance[:8]}"
        self._veth = f"sk{instance[:8]}"
        self._rules: Rules | None = None
        self._turn = asyncio.Lock()
        self._live: Callable[[], Collection[int]] = tuple

    def kind(self) -> str:
        """``own`` or ``host``: what a sandboxed task gets. Raises ``Refused``."""
        if self._config.network == "none":
            raise Refused(
                "Network",
                "tasks have no network here, by the site's configuration (network = none)",
            )
        if self._config.network == "own" and not self._root:
            raise Refused(
                "Network",
                "only an agent that runs as root can give tasks a network of their own; the "
                "operator can give them the host's, with network = host in the site's "
                "configuration",
            )
        return self._config.network

    @property
    def says(self) -> str:
        """What tasks get, or why they get nothing."""
        try:
            kind = self.kind()
            if kind == "host":
                return "the host's own, by the site's configuration"
            rules.program()
        except Refused as refused:
            return refused.message
        if not self.servers:
            return f"{self._pool()}, without name servers: the host's are on its loopback only"
        return str(self._pool())

    @property
    def servers(self) -> tuple[str, ...]:
        """Name servers of tasks."""
        return self._config.name_servers or names.servers()

    def resolver(self, directory: Path) -> tuple[Bind, ...]:
        """The ``/etc/resolv.conf`` of a task, kept in ``directory`` if it is not the host's."""
        path = names.HOSTS.resolve()
        if self._config.network == "own":
            path = directory / "resolv.conf"
            path.write_text(names.text(self.servers))
            path.chmod(0o644)
        return (Bind(str(path), str(names.HOSTS)),)

    def number(self, taken: set[int], count: int) -> tuple[int, ...]:
        """So many free places in the pool, the lowest there are. Raises ``Refused``."""
        last = self._pool().num_addresses - 2
        free = (n for n in range(_FIRST, last + 1) if n not in taken)
        found = tuple(number for number, _ in zip(free, range(count), strict=False))
        if len(found) < count:
            raise Refused("Network", f"all addresses of the network {self._pool()} are taken")
        return found

    async def make(self, number: int) -> int:
        """A namespace for one task with the address of that number; a descriptor that keeps it.

        Raises ``Refused``.
        """
        async with self._turn:
            await asyncio.to_thread(self._ensure)
        return await asyncio.to_thread(self._make, number)

    def _make(self, number: int) -> int:
        assert self._rules is not None
        pool = self._pool()
        space = links.new_space()
        try:
            address = f"{pool[number]}/{pool.prefixlen}"
            mtu = links.mtu(self._rules.uplinks)
            links.attach(space, self._name(number), self.bridge, address, mtu)
        except OSError as error:
            os.close(space)
            raise Refused("Network", f"its network can't be made: {error}") from error
        except BaseException:
            os.close(space)
            raise
        return space

    def _name(self, number: int) -> str:
        return f"{self._veth}{number:x}"

    def traffic(self) -> dict[int, tuple[int, int]]:
        """By number: bytes that the task has received and sent."""
        found = {}
        for name, (received, sent) in links.traffic().items():
            if name.startswith(self._veth):
                # What the host's end has sent, the task has received.
                found[int(name.removeprefix(self._veth), 16)] = (sent, received)
        return found

    # Bridge and table

    async def keep(self, live: Callable[[], Collection[int]]) -> None:
        """See for ever that bridge and table are as they should, while ``live`` gives numbers.

        At first it removes what an agent that died has left, if no task needs it any more.
        """
        self._live = live
        if not live() and links.exists(self.bridge):
            await asyncio.to_thread(self._remove)
        while True:
            if self._live():
                try:
                    async with self._turn:
                        await asyncio.to_thread(self._ensure)
                except (Refused, OSError) as error:
                    _log.error("networks of tasks are not as they should", why=str(error))
            await asyncio.sleep(_KEEP_SECONDS)

    def _ensure(self) -> None:
        """Make or mend them. Raises ``Refused``."""
        wanted = self._wanted()
        whole = links.exists(self.bridge) and rules.there(self.bridge)
        if whole and wanted == self._rules:
            return
        try:
            with _alone():
                self._sweep()
                if not links.exists(self.bridge):
                    self._choose_pool()
                    wanted = self._wanted()
                # Rules before anything could pass that they are to stop.
                rules.apply(wanted)
                pool = self._pool()
                address = f"{pool[1]}/{pool.prefixlen}"
                mtu = links.mtu(wanted.uplinks)
                links.make_bridge(self.bridge, address, self._alias(), mtu)
            links.route_through([self.bridge, *wanted.uplinks])
            links.join([self._name(number) for number in self._live()], self.bridge)
        except OSError as error:
            raise Refused("Network", f"tasks can't have networks here: {error}") from error
        self._rules = wanted
        _log.info("networks of tasks", pool=wanted.pool, uplinks=wanted.uplinks)

    def _alias(self) -> str:
        path = str(self._data)
        return path if len(path.encode()) <= _LONGEST_ALIAS else ""

    def _wanted(self) -> Rules:
        uplinks = tuple(
            sorted({name for name, network in links.routes() if network.prefixlen == 0})
        )
        opened = ipaddress.collapse_addresses(ipaddress.IPv4Network(n) for n in self._config.reach)
        return Rules(
            bridge=self.bridge,
            pool=str(self._pool()),
            servers=self.servers,
            open=tuple(str(network) for network in opened),
            uplinks=uplinks,
            guard=bool(uplinks) and not links.is_router(),
        )

    def _pool(self) -> ipaddress.IPv4Network:
        """The network of the tasks' addresses, once it is chosen the same for good."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return ipaddress.IPv4Network((self._data / "pool").read_text().strip())
        return ipaddress.IPv4Network(self._config.pool or _CANDIDATES[0])

    def _choose_pool(self) -> None:
        """One that clashes with no route of the host. Raises ``Refused``."""
        others = [net for name, net in links.routes() if net.prefixlen and name != self.bridge]
        before = (self._data / "pool").exists()
        candidates = [*([str(self._pool())] if before else []), *_CANDIDATES]
        if self._config.pool:
            candidates = [self._config.pool]
        for candidate in candidates:
            pool = ipaddress.IPv4Network(candidate)
            if not any(pool.overlaps(other) for other in others):
                (self._data / "pool").write_text(f"{pool}\n")
                return
        raise Refused(
            "Network",
            "no private network is free for tasks: name one with pool = … in the site's "
            f"configuration ({', '.join(candidates[:3])} … clash with the host's routes)",
        )

    def _sweep(self) -> None:
        """Remove what is left of agents whose directories are gone, if no task uses it."""
        for name, directory in links.idle(rules.PREFIX).items():
            if directory and name != self.bridge and not Path(directory).exists():
                links.remove(name)
                rules.remove(name)

    def _remove(self) -> None:
        with contextlib.suppress(Refused):
            rules.remove(self.bridge)
        links.remove(self.bridge)
        self._rules = None

    def close(self) -> None:
        """Leave nothing, unless tasks need it."""
        if not self._live() and links.exists(self.bridge):
            self._remove()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """No other agent chooses a pool meanwhile. Raises ``OSError``."""
    lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
