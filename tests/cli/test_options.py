"""Every command there is, looked at for options that mean two things."""

from collections import Counter
from collections.abc import Iterator

import click

from skerry.cli.common import Session
from skerry.cli.main import root


def commands(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            found = ctx.command.get_command(ctx, name)
            if found is not None:
                yield from commands(click.Context(found, parent=ctx, info_name=name))


def test_no_option_means_two_things() -> None:
    doubled = {
        ctx.command_path: twice
        for ctx in commands(click.Context(root, obj=Session(), info_name="skerry"))
        if (twice := [o for o, n in _names(ctx).items() if n > 1])
    }
    assert doubled == {}


def _names(ctx: click.Context) -> Counter[str]:
    return Counter(name for param in ctx.command.params for name in {*param.opts, param.name or ""})
