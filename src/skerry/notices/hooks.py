"""What the kinds of being told do inside the transaction of a request."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from skerry.kernel.errors import Conflict, TooManyRequests, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resource, Resources
from skerry.notices.outbox import address_of, post
from skerry.notices.progress import progress
from skerry.notices.signing import new_secret
from skerry.notices.specs import PreferenceSpec, WebhookSpec
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.notices")

SECRET = "secret"  # noqa: S105 - a field's name
FORMER = "formerSecret"
FORMER_UNTIL = "formerSecretUntil"
OVERLAP = timedelta(days=1)
"""For how long the secret before a rotation signs as well."""
MOST_TESTS = 5


class NoticeHooks(Hooks):
    async def act(
        self, tx: Tx, resources: Resources, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any] | None:
        again = await tx.fetch(_sql.send_again, resource.uid)
        if not again:
            raise Conflict(
                "It is under way still, or has reached everybody.",
                hint=f"skerry notice get {resource.name}",
            )
        await progress(tx, resources, resource.uid)
        return {"targets": [row["target"] for row in again]}


class WebhookHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        _check_url(new.typed(WebhookSpec).endpoint)
        status = {"phase": "active"} if new.spec.get("enabled", True) else {"phase": "disabled"}
        if old is not None:
            new.status.pop("failingSince", None)
            new.status.pop("problem", None)
            return Admitted(status=status)
        secret = new_secret()
        tx.known[("webhook", new.uid)] = secret
        return Admitted(status=status, once={"secret": secret})

    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        if old is None:
            secret = tx.known.pop(("webhook", new.uid))
            await resources.sealer.seal(tx, new.tenant, new.uid, SECRET, secret)

    async def act(
        self, tx: Tx, resources: Resources, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any] | None:
        if action == "rotate":
            return await _rotate(tx, resources, resource)
        if resource.status.get("phase") == "disabled":
            raise Conflict(
                f"webhook {resource.name!r} is disabled",
                hint=f"skerry webhook update {resource.name} --enabled true",
            )
        if await tx.fetchval(_sql.tests_waiting, resource.uid) >= MOST_TESTS:
            raise TooManyRequests(
                f"{MOST_TESTS} tests of webhook {resource.name!r} are under way",
                hint=f"skerry webhook attempts {resource.name}",
            )
        await post(
            tx,
            topic="webhook.test",
            tenant=resource.tenant,
            subject=f"A test of the webhook {resource.name}",
            text=f"{by.subject} asked for it. If you can read it, the webhook works.",
            facts={"webhook": resource.name},
            webhook=resource.uid,
        )
        return {"sent": True, "log": f"skerry webhook attempts {resource.name}"}


async def _rotate(tx: Tx, resources: Resources, resource: Resource) -> Mapping[str, Any]:
    sealer, at = resources.sealer, (resource.tenant, resource.uid)
    former, secret = await sealer.open(tx, *at, SECRET), new_secret()
    until = stamp(await tx.now() + OVERLAP)
    await sealer.seal(tx, *at, FORMER, former)
    await sealer.seal(tx, *at, FORMER_UNTIL, until)
    await sealer.seal(tx, *at, SECRET, secret)
    return {"secret": secret, "formerSecretUntil": until}


async def keys_of(tx: Tx, resources: Resources, webhook: Resource) -> list[str]:
    """The secrets that sign for a webhook now, the newest first."""
    sealer, at = resources.sealer, (webhook.tenant, webhook.uid)
    keys = [await sealer.open(tx, *at, SECRET)]
    until = await sealer.open(tx, *at, FORMER_UNTIL)
    if until is not None and str(until) > stamp(await tx.now()):
        keys.append(await sealer.open(tx, *at, FORMER))
    return [str(key) for key in keys if key is not None]


def _check_url(url: str) -> None:
    """What is wrong with it whoever resolves it; addresses are judged when something is sent."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known, parts = False, urlsplit("")
    if not known or not url.isascii() or not url.isprintable() or " " in url:
        raise ValidationError.at(
            "/spec/endpoint",
            "spec.endpoint is not a URL of HTTPS",
            "Write it as https://example.org/path.",
        )
    if parts.username is not None or parts.password is not None:
        raise ValidationError.at(
            "/spec/endpoint",
            "spec.endpoint has a user or password in it",
            "Deliveries are signed: check the signature instead.",
        )


class PreferenceHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        for one in new.typed(PreferenceSpec).emails:
            address_of(one)
        return Admitted()
