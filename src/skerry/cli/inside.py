"""Which resource a name means, for commands that go into what runs."""

from typing import TYPE_CHECKING

from skerry.cli.common import Session
from skerry.cli.exits import Failed
from skerry.client.errors import NotFound

if TYPE_CHECKING:
    from skerry.client.operations import Target

WHERE = "NAME or KIND/NAME, such as web or job/train"
_OVER = ("succeeded", "failed", "cancelled", "stopped")


def path_of(session: Session, word: str, channel: str) -> str:
    """The channel's path. Raises ``Failed`` where nothing, or more than one thing, is so called."""
    noun, slash, name = word.rpartition("/")
    known = session.client.catalogue.having(channel)
    kinds = [kind for kind in known if not slash or kind.noun == noun]
    if not kinds:
        nouns = ", ".join(kind.noun for kind in known)
        raise Failed(f"nothing can be entered in a {noun!r}", hint=f"Kinds that run: {nouns}.")
    found: dict[str, tuple[Target, str]] = {}
    for kind in kinds:
        client = session.client.kind(kind.noun)
        try:
            found[kind.noun] = client.target, client.get(name).phase
        except NotFound:
            continue
    alive = {noun: one for noun, one in found.items() if one[1] not in _OVER}
    found = alive if len(alive) == 1 else found
    if not found:
        looked = " or ".join(kind.noun for kind in kinds)
        raise Failed(f"there is no {looked} {name!r}", hint="See skerry pod list, skerry job list.")
    if len(found) > 1:
        names = " or ".join(f"{noun}/{name}" for noun in found)
        raise Failed(f"{name!r} may be several things", hint=f"Say which: {names}.")
    ((noun, (target, _)),) = found.items()
    session.noun = noun
    return f"{target.item(name)}/{channel}"
