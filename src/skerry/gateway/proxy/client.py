"""What an exchange sees of its client: an HTTP/1 connection, an HTTP/2 stream or a bare socket."""

from typing import Protocol

from skerry.gateway.proxy.head import Field, Response


class Client(Protocol):
    """The side that asked. After ``end`` or ``cut`` it is told nothing more, and says nothing."""

    def interim(self, response: Response) -> None:
        """An answer before the answer (1xx)."""

    def head(self, response: Response, first: bytes, *, body: bool) -> None:
        """The answer begins; ``first`` is what there is of its body. ``body``: it has one."""

    def data(self, data: bytes) -> None:
        """More of the body; never empty."""

    def end(self, trailers: list[Field]) -> None:
        """The answer is complete."""

    def cut(self) -> None:
        """The answer breaks off: the client must see that it is not whole."""

    def changed(self, response: Response) -> None:
        """The backend has agreed to another protocol: from now on bytes go through as they are."""

    def hold(self) -> None:
        """Send nothing more for now."""

    def release(self) -> None:
        """Send on."""
