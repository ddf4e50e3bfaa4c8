"""What is going on, on stderr: a line that moves on a terminal, plain lines in a script."""

import sys
from types import TracebackType
from typing import Protocol, Self

import click


class Progress(Protocol):
    """Both renderers. ``update`` says what is going on, ``note`` what has happened."""

    def update(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Silent:
    """Says nothing."""

    def update(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Script(Silent):
    """One line for each change, so that a log can be read later."""

    def __init__(self) -> None:
        self._last = ""

    def update(self, text: str) -> None:
        if text != self._last:
            click.echo(text, err=True)
            self._last = text

    def note(self, text: str) -> None:
        click.echo(text, err=True)


class Terminal(Silent):
    """One line with a spinner, drawn over; gone when it is over."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._moving = False

    def update(self, text: str) -> None:
        from rich.markup import escape

        self._status.update(escape(text))
        if not self._moving:
            self._status.start()
            self._moving = True

    def note(self, text: str) -> None:
        self.pause()
        click.echo(text, err=True)

    def pause(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._moving:
            self._status.stop()
            self._moving = False

    def __exit__(self, *_: object) -> None:
        self.pause()


def renderer(quiet: bool) -> Progress:
    """The renderer for this stderr."""
    if quiet:
        return Silent()
    return Terminal() if sys.stderr.isatty() else Script()
