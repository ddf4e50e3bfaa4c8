"""What the market's kinds do inside the transaction of a request."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from skerry.identity.authorize import authorize, target_of
from skerry.kernel import admission
from skerry.kernel.errors import Conflict, Problem, Source, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import agreements, holds
from skerry.ledger.streams import cost
from skerry.market import decisions, offers
from skerry.market.ask import Ask, Divisible, Row, checked
from skerry.market.decision import Decision
from skerry.market.lease import why_refused
from skerry.market.leases import Market
from skerry.market.policies import TenantPolicySpec
from skerry.market.policy import compiled, policy_in_words
from skerry.market.prices import charges
from skerry.market.specs import (
    Accept,
    OfferSpec,
    QuoteSpec,
    QuoteStatus,
    builtins,
    lines_of,
    near_status,
    offer_of,
    place_of,
)
from skerry.store import Tx

QUOTE_SECONDS = 600
"""How long a quote can be accepted."""


class PolicyHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        try:
            policy = compiled(new.typed(TenantPolicySpec))
        except ValueError as error:
            raise ValidationError(
                f"spec: {error}",
                hint="Use codes such as DE and groups such as EU.",
                sources=[Source(pointer="/spec/jurisdictions")],
            ) from None
        return Admitted({"words": policy_in_words(policy)})


class OfferHooks(Hooks):
    """Writing the resource writes the offer that ``match`` sees; what of it is free is shown."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        try:
            checked(offer_of(new.name, new.typed(OfferSpec)))
        except ValueError as error:
            raise ValidationError(f"spec: {error}", sources=[Source(pointer="/spec")]) from None
        return Admitted()

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        spec = new.typed(OfferSpec)
        if spec.suspended:
            await offers.retire(tx, new.name)
        else:
            await offers.write(tx, offer_of(new.name, spec))

    async def all_written(
        self, tx: Tx, resources: Resources, new: Sequence[Resource], by: Caller
    ) -> None:
        specs = {one.name: one.typed(OfferSpec) for one in new}
        await offers.write_all(
            tx, {name: None if s.suspended else offer_of(name, s) for name, s in specs.items()}
        )

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        await offers.retire(tx, resource.name)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows = await offers.read_all(tx, [one.name for one in page])
        return {one.uid: _left(rows[one.name]) for one in page if one.name in rows}


def _left(row: Row) -> Mapping[str, Any]:
    left = offers.free(row)
    if not isinstance(left, Divisible):
        return {"free": {"count": left}, "version": row.version}
    amounts = {"millicores": left.millicores, "memory": left.memory, "disk": left.disk}
    gpus = {gpu.model: gpu.count for gpu in left.gpus}
    return {"free": amounts | ({"gpus": gpus} if gpus else {}), "version": row.version}


class LeaseHooks(Hooks):
    """A lease is the market's to write. It ends, if it has not, when what it served is removed."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        return Admitted({"phase": "active", "startedAt": stamp(await tx.now())})

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        await Market.of(resources).close(tx, uuid.UUID(resource.name), "tenant", show=False)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        uids = {uuid.UUID(one.name): one.uid for one in page}
        drawn = await holds.drawn_of(tx, list(uids))
        return {uids[lease]: {"costNano": amount} for lease, amount in drawn.items()}


class QuoteHooks(Hooks):
    """A quote is a match that takes nothing. Putting it again quotes anew."""

    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        if old is not None and old.status.get("phase") == "accepted":
            raise Conflict(f"quote {new.name!r} has been accepted", hint="Make another one.")
        spec = new.typed(QuoteSpec)
        market = Market.of(resources)
        found = await market.decide(tx, ask_of(resources, spec), new.tenant, new.workspace)
        decided = found.decision
        recorded = await decisions.save(
            tx,
            decided,
            found.snapshot,
            new,
            purpose="quote",
            outcome="quoted" if decided.chosen else "unplaced",
            by=by,
        )
        status = _answer(decided, recorded.id)
        status.agreed = await agreements.words_of(tx, new.tenant, decided.ask.currency)
        if decided.chosen is not None:
            status.valid_until = decided.at + timedelta(seconds=QUOTE_SECONDS)
        # A quote put again must not keep what the last one said.
        new.status.clear()
        return Admitted(builtins(status))

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        now = await tx.now()
        told = [(one.uid, msgspec.convert(one.status, QuoteStatus)) for one in page]
        return {
            uid: {"phase": "expired"}
            for uid, status in told
            if status.phase == "offered" and status.valid_until and now >= status.valid_until
        }

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        accept = body if isinstance(body, Accept) else msgspec.convert(body, Accept)
        status = msgspec.convert(resource.status, QuoteStatus)
        if status.phase == "accepted":
            raise Conflict(f"quote {resource.name!r} was accepted as {status.created}")
        if status.phase != "offered" or status.decision is None or status.valid_until is None:
            raise Conflict(f"quote {resource.name!r} offers nothing: {status.message}")
        if await tx.now() >= status.valid_until:
            raise Conflict(f"quote {resource.name!r} has expired", hint="Put it again.")
        created = await _create(tx, resources, resource, accept, by)
        quoted = await decisions.get(tx, status.decision)
        market = Market.of(resources)
        await market.reserve_quoted(tx, quoted, created, seconds=QUOTE_SECONDS, by=by)
        await resources.set_status(
            tx, resource.uid, status={"phase": "accepted", "created": created.ref}, by=by
        )
        return {"created": created.ref, "name": created.name}


def ask_of(resources: Resources, spec: QuoteSpec) -> Ask:
    """What the quoted resource would ask of the market. Raises ``ValidationError``."""
    kind = _kind(resources, spec)
    assert kind.ask is not None
    sealed = [field for field in kind.secrets if field in spec.spec]
    if sealed:
        raise ValidationError(
            f"spec.spec: a quote holds no secrets, and {sealed[0]} is one",
            hint="Give it when you accept the quote.",
            sources=[Source(pointer=f"/spec/spec/{sealed[0]}")],
        )
    try:
        ask = kind.ask(admission.convert(kind, spec.spec))
    except Problem as error:
        error.sources = [
            Source(pointer=s.pointer.replace("/spec", "/spec/spec", 1)) for s in error.sources
        ]
        raise
    assert isinstance(ask, Ask)
    return ask


def _kind(resources: Resources, spec: QuoteSpec) -> Kind:
    kind = resources.registry.by_noun.get(spec.kind)
    if kind is None or kind.ask is None:
        quotable = sorted(k.noun for k in resources.registry.kinds if k.ask is not None)
        raise ValidationError(
            f"spec.kind: {spec.kind!r} can't be quoted",
            hint=f"One of: {', '.join(quotable)}.",
            sources=[Source(pointer="/spec/kind")],
        )
    return kind


def _answer(decided: Decision, id: uuid.UUID) -> QuoteStatus:
    status = QuoteStatus(
        phase="offered" if decided.chosen else "refused",
        decision=id,
        policy=policy_in_words(decided.policy),
        considered=decided.considered,
        refused=decided.refused,
        nearest=[near_status(near) for near in decided.nearest],
    )
    choice = decided.chosen
    if choice is None:
        status.message, status.hint = why_refused(decided)
        return status
    status.place = place_of(choice)
    status.currency = choice.price.currency
    status.price_per_hour_nano = choice.price.per_hour
    status.lines = lines_of(choice)
    if decided.ask.duration:
        priced = charges(choice.price, choice.price_version)
        status.most_nano = cost(priced, decided.ask.duration)
    return status


async def _create(
    tx: Tx, resources: Resources, quote: Resource, accept: Accept, by: Caller
) -> Resource:
    """Put what was quoted, as the caller could have done."""
    spec = quote.typed(QuoteSpec)
    kind = _kind(resources, spec)
    foreign = sorted(set(accept.secrets) - set(kind.secrets))
    if foreign:
        raise ValidationError(
            f"secrets: {foreign[0]} is no secret field of a {kind.noun}",
            hint="Quote what you want created; only secrets are added.",
        )
    path = Path(quote.tenant, quote.workspace, (), accept.name)
    if by.principal is not None:
        authorize(by.principal, "put", target_of(kind, path, quote.region))
    if await resources.find(tx, resources.ref(kind, path)) is not None:
        raise Conflict(f"{kind.noun} {accept.name!r} exists already", hint="Use another name.")
    body = {"spec": {**spec.spec, **accept.secrets}, "labels": accept.labels}
    return (await resources.put(tx, kind, path, body, by)).resource
