"""The gate: what the proxy asks about requests, put together from the parts that know."""

from collections.abc import Awaitable, Callable, Sequence

from skerry.gateway import pages
from skerry.gateway.login import Login
from skerry.gateway.ordering import PREFIX
from skerry.gateway.room import Room
from skerry.gateway.seams import Answer, Entry, Head
from skerry.gateway.table import Route, host_of

Challenge = Callable[[str], Awaitable[bytes | None]]


class DoorkeeperGate:
    """``seams.Gate``. ``heard`` are told of each finished request, in order."""

    def __init__(
        self,
        login: Login,
        room: Room,
        *,
        heard: Sequence[Callable[[Entry], None]] = (),
        challenge: Challenge | None = None,
        secure_url: Callable[[str], str] | None = None,
    ) -> None:
        """``secure_url`` gives a name's URL with TLS, to which plain requests are sent."""
        self._login = login
        self._room = room
        self._heard = list(heard)
        self._challenge = challenge
        self._secure_url = secure_url

    def hear(self, hears: Callable[[Entry], None]) -> None:
        """Tell one more of finished requests."""
        self._heard.append(hears)

    def check(self, route: Route, head: Head) -> Answer | Awaitable[Answer | None] | None:
        if not head.secure and self._secure_url is not None:
            if self._challenge is not None and head.target.startswith(PREFIX):
                return self._answered(self._challenge, head)
            target = head.target if head.target.startswith("/") else "/"
            return pages.redirect(308, self._secure_url(host_of(head.host)) + target)
        if route.login:
            return self._login.check(route, head)
        return None

    async def _answered(self, challenge: Challenge, head: Head) -> Answer | None:
        answer = await challenge(head.target.removeprefix(PREFIX).partition("?")[0])
        if answer is None:
            return pages.plain(404, "There is no such challenge.")
        return Answer(200, ((b"content-type", b"application/octet-stream"),), answer)

    async def wait(self, route: Route, head: Head | None) -> Route | Answer:
        return await self._room.wait(route, head)

    def entry(self, entry: Entry) -> None:
        for hear in self._heard:
            hear(entry)

    def strip(
        self, route: Route, headers: Sequence[tuple[bytes, bytes]]
    ) -> Sequence[tuple[bytes, bytes]]:
        return self._login.strip(route, headers)
