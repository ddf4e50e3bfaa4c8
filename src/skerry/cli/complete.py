"""Completion with the names that are there now. Trouble completes to nothing, silently."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from skerry.client.errors import SkerryError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
MOST = 200


def names_of(noun: str) -> Completer:
    """Completes the names of a kind."""

    def complete(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        from skerry.cli.common import Session
        from skerry.client.steps import Policy

        session = ctx.find_object(Session) or Session()
        try:
            client = session.client
            client.policy = Policy(retries=0, await_start=False)
            kind = session.catalogue[noun]
            parents = {word: str(ctx.params.get(word) or "") for word in kind.parameters}
            found = client.kind(noun, **parents).list(limit=MOST)
            return [
                CompletionItem(item.name, help=item.phase or item.state)
                for item in found
                if item.name.startswith(incomplete)
            ]
        except SkerryError:
            return []

    return complete


def contexts(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Completes the names of contexts."""
    from click.shell_completion import CompletionItem

    from skerry.client import config

    try:
        named = config.load_contexts().named
    except SkerryError:
        return []
    return [CompletionItem(n, help=s.url) for n, s in named.items() if n.startswith(incomplete)]


def nouns(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Completes kinds."""
    from click.shell_completion import CompletionItem

    from skerry.cli.common import Session

    found = (ctx.find_object(Session) or Session()).catalogue.summaries
    return [CompletionItem(n, help=text) for n, _, _, text in found if n.startswith(incomplete)]
