"""Which resource a name means, for commands that take many kinds of them."""

from typing import TYPE_CHECKING

from skerry.cli.common import Session
from skerry.cli.exits import NOT_FOUND, Failed
from skerry.client.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skerry.client.catalogue import Kind
    from skerry.client.operations import Target

WHERE = "NAME or KIND/NAME, such as web or job/train"
_OVER = ("succeeded", "failed", "cancelled", "stopped")


def path_of(session: Session, word: str, channel: str) -> str:
    """The channel's path. Raises ``Failed`` where nothing, or more than one thing, is so called."""
    known = session.client.catalogue.having(channel)
    target, name = meant(session, word, known, "nothing can be entered in")
    return f"{target.item(name)}/{channel}"


def meant(
    session: Session, word: str, known: "Sequence[Kind]", refusal: str
) -> "tuple[Target, str]":
    """The one resource of these kinds that is so called, of several the one that runs; what lives
    in another only where that is named too: ``host/SITE/NAME``. Raises ``Failed`` where there is
    none, or more than one."""
    noun, *above, name = word.split("/") if "/" in word else ("", word)
    kinds = [
        kind for kind in known if noun in ("", kind.noun) and len(kind.parameters) == len(above)
    ]
    if not kinds:
        nouns = ", ".join(kind.noun for kind in known)
        raise Failed(
            f"{refusal} a {'/'.join([noun, *above])!r}", hint=f"Kinds it goes with: {nouns}."
        )
    found: dict[str, tuple[Target, str]] = {}
    for kind in kinds:
        parents = dict(zip(kind.parameters, above, strict=True))
        client = session.client.kind(kind.noun, **parents)
        try:
            found[kind.noun] = client.target, client.get(name).phase
        except NotFound:
            continue
    alive = {noun: one for noun, one in found.items() if one[1] not in _OVER}
    found = alive if len(alive) == 1 else found
    if not found:
        looked = " or ".join(kind.noun for kind in kinds)
        lists = ", ".join(f"skerry {kind.noun} list" for kind in kinds[:3])
        raise Failed(f"there is no {looked} {name!r}", hint=f"See {lists}.", code=NOT_FOUND)
    if len(found) > 1:
        names = " or ".join(f"{noun}/{name}" for noun in found)
        raise Failed(f"{name!r} may be several things", hint=f"Say which: {names}.")
    ((noun, (target, _)),) = found.items()
    session.noun = noun
    return target, name
