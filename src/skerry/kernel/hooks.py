"""Hooks: what a kind does inside the transaction of a request.

Most kinds need none. A kind whose whole life is in the database (a role, a token, a quote) does its
work here; a kind with a flow uses them to refuse what can't be or to turn an action into an intent.
Hooks never reach outside the database.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from skerry.store import Tx

if TYPE_CHECKING:
    from skerry.kernel.resources import Resource, Resources


@dataclass(frozen=True)
class Caller:
    """Who acts. ``subject`` is what the log's leaf hashes: ``user@tenant``, ``system``."""

    subject: str
    tenant: str = ""
    operator: bool = False
    principal: Any = None
    """Identity's own record of the caller, for the packages above it."""


SYSTEM = Caller(subject="system", operator=True)


@dataclass(frozen=True)
class Admitted:
    """What ``admit`` adds: observed status, and values shown once in this response only."""

    status: Mapping[str, Any] = field(default_factory=dict)
    once: Mapping[str, Any] = field(default_factory=dict)


class Hooks:
    """Override what the kind needs."""

    async def admit(
        self, tx: Tx, resources: "Resources", new: "Resource", old: "Resource | None", by: Caller
    ) -> Admitted:
        """Check a PUT beyond its schema and do what belongs in its transaction.

        ``new`` is validated and not yet written. Raise a ``Problem`` to refuse.
        """
        return Admitted()

    async def written(
        self, tx: Tx, resources: "Resources", new: "Resource", old: "Resource | None", by: Caller
    ) -> None:
        """After the row is written, in the same transaction: rows that point at it."""

    async def all_written(
        self, tx: Tx, resources: "Resources", new: Sequence["Resource"], by: Caller
    ) -> None:
        """``written`` for many, of kinds that are put so."""
        raise NotImplementedError

    async def removing(
        self, tx: Tx, resources: "Resources", resource: "Resource", by: Caller
    ) -> None:
        """Before a DELETE takes effect. Raise a ``Problem`` to refuse."""

    async def act(
        self,
        tx: Tx,
        resources: "Resources",
        resource: "Resource",
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        """Do an action, or refuse it. None: hand it to the flow as an intent (or nothing to say);
        a mapping is the response's body."""
        return None

    async def shown_of(
        self, tx: Tx, resources: "Resources", page: Sequence["Resource"]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        """Status computed when read, such as a count, by uid: cheap, and never stored. A page of a
        list has many: as few statements tell of all of them as of one."""
        return {}

    @final
    async def shown(
        self, tx: Tx, resources: "Resources", resource: "Resource"
    ) -> Mapping[str, Any]:
        """``shown_of`` one."""
        return (await self.shown_of(tx, resources, [resource])).get(resource.uid, {})
