"""Resources: the rows behind the API, and the only way to change them.

Each change of a resource is one transaction that writes the row, its references, its sealed fields,
the quota's count, the flow's wake-up and one row of ``change``. ``version`` grows by one with each
modification and is SECA's ``resourceVersion``; ``generation`` grows with each new spec.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from skerry.kernel import admission, changes, quotas
from skerry.kernel.errors import (
    Conflict,
    MissingParent,
    NotFound,
    PreconditionFailed,
    Source,
    ValidationError,
)
from skerry.kernel.history import State, grown
from skerry.kernel.hooks import SYSTEM, Caller, Hooks
from skerry.kernel.kinds import Kind, Ref
from skerry.kernel.paths import Path, check_name, parent_ref, ref_of, resolve
from skerry.kernel.rows import Page, Resource, Rows, Wake, from_row, snapshot
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.kernel", "resources.sql")
_NO_HOOKS = Hooks()

__all__ = ["Page", "Put", "Resource", "Resources", "check_version", "from_row", "snapshot"]


@dataclass(frozen=True)
class Put:
    resource: Resource
    created: bool
    once: Mapping[str, Any]
    """Values for this response only, such as a new token."""


class _Found(NamedTuple):
    """What is at a path, and which of the scopes above something new are not there."""

    old: Resource | None
    missing: list[str]


class Resources(Rows):
    """What a client, or a flow in its place, may do to resources."""

    async def put(
        self,
        tx: Tx,
        kind: Kind,
        path: Path,
        body: Mapping[str, Any],
        by: Caller,
        *,
        if_version: int | None = None,
        if_changed: bool = False,
        owner: Resource | None = None,
    ) -> Put:
        """Create or replace. The problems raised are those of the API's PUT.

        ``if_changed``: what is as it is sent stays at its version, and nothing is written.
        """
        check_name(path.name)
        ref = ref_of(kind, path)
        found = await self._found(tx, kind, path, ref)
        old = found.old
        check_version(ref, old.version if old else None, if_version)
        sent = admission.admit(kind, body, await self._regions(tx, kind, body))
        if old is not None:
            self._replaceable(kind, old, sent, owner)
            if if_changed and await self._is_so(tx, old, sent):
                return Put(old, False, {})
        else:
            await self._check_parents(tx, kind, path, found)
        targets = await self._targets(tx, kind, path, sent.spec, old)
        new = self.merged(kind, path, sent, old, owner, by, await tx.now())
        hooks = kind.hooks or _NO_HOOKS
        if old is None:
            await quotas.take(tx, kind, path.tenant)
        admitted = await hooks.admit(tx, self, new, old, by)
        new.status.update(admitted.status)
        if old is not None:
            await self.save(tx, new, "put", by, Wake.CHANGED if kind.flow else Wake.NO)
        elif not await self.add(tx, new, "put", by, kind.flow.first if kind.flow else ""):
            raise Conflict(f"{new.kind} {new.name!r} was created by someone else just now")
        await self._attach(tx, kind, new, sent, targets)
        await hooks.written(tx, self, new, old, by)
        if kind.flow is not None:
            tx.after_commit(self.woken)
        return Put(new, old is None, admitted.once)

    async def _found(self, tx: Tx, kind: Kind, path: Path, ref: str) -> _Found:
        """Look at where something is to be put, and hold what is there."""
        scopes = {"tenant": "", "workspace": ""}
        if kind.scope != "global" and "tenant" in self.registry.by_noun:
            scopes["tenant"] = ref_of(self.registry["tenant"], Path(name=path.tenant))
        if kind.scope == "workspace" and "workspace" in self.registry.by_noun:
            at = Path(path.tenant, name=path.workspace)
            scopes["workspace"] = ref_of(self.registry["workspace"], at)
        row = await tx.fetchrow(_sql.before_put, ref, scopes["tenant"], scopes["workspace"])
        assert row is not None
        tx.now_is(row["now_"])
        missing = [
            noun for noun, at in scopes.items() if at and row[f"{noun}_"] in (None, "deleting")
        ]
        return _Found(self.loaded(row) if row["uid"] else None, missing)

    async def _regions(self, tx: Tx, kind: Kind, body: Mapping[str, Any]) -> frozenset[str]:
        """The regions of this cloud, where the body names one."""
        metadata = body.get("metadata")
        region = metadata.get("region") if isinstance(metadata, dict) else None
        if not kind.regional or region in (None, ""):
            return frozenset()
        return frozenset(row["name"] for row in await tx.fetch(_sql.regions))

    def _replaceable(
        self, kind: Kind, old: Resource, sent: admission.Envelope, owner: Resource | None
    ) -> None:
        if old.state == "deleting":
            raise Conflict(
                f"{kind.noun} {old.name!r} is being deleted",
                hint="Wait until it is gone, or use another name.",
            )
        if old.owner_uid is not None and (owner is None or owner.uid != old.owner_uid):
            raise _owned(old)
        if old.owner_uid is None and owner is not None:
            raise Conflict(
                f"{kind.noun} {old.name!r} exists and is no part of {owner.kind} {owner.name!r}",
                hint=f"Delete that {kind.noun}, or use another name.",
            )
        admission.unchanged(kind, old.spec, sent.spec)

    async def _is_so(self, tx: Tx, old: Resource, sent: admission.Envelope) -> bool:
        """Whether a PUT would change nothing. A sealed field that isn't sent stays as it is."""
        if (old.labels, old.annotations, old.extensions, old.spec) != (
            sent.labels, sent.annotations, sent.extensions, sent.spec,
        ):  # fmt: skip
            return False
        for field, value in sent.secrets.items():
            if value is not None and value != await self.sealer.open(
                tx, old.tenant, old.uid, field
            ):
                return False
        return True

    async def _check_parents(self, tx: Tx, kind: Kind, path: Path, found: _Found) -> None:
        for noun in found.missing:
            name = path.tenant if noun == "tenant" else path.workspace
            raise MissingParent(f"{noun} {name[:128]!r} does not exist")
        if kind.parents:
            above = parent_ref(kind, path, self.registry)
            row = await tx.fetchrow(_sql.parent_of, above)
            if row is None or row["state"] == "deleting":
                raise MissingParent(f"{above} does not exist", hint="Create it first.")

    async def _targets(
        self, tx: Tx, kind: Kind, path: Path, spec: Mapping[str, Any], old: Resource | None
    ) -> list[tuple[str, uuid.UUID]]:
        binds: dict[str, Ref] = {ref.field: ref for ref in kind.refs}
        found: list[tuple[str, uuid.UUID]] = []
        for field, noun, reference in admission.references(kind, spec):
            target = self.registry.by_noun.get(noun)
            if target is None:
                continue
            pointer = "/spec/" + field.replace(".", "/")
            ref = resolve(reference, target, path, self.registry)
            if binds[field].bind == "late":
                continue
            row = await tx.fetchrow(_sql.parent_of, ref)
            if row is None or row["state"] == "deleting":
                raise ValidationError(
                    f"spec.{field} points at {ref}, which does not exist",
                    hint=f"Create the {noun} first, or point at another.",
                    sources=[Source(pointer=pointer)],
                )
            found.append((field, row["uid"]))
        pointed = [uid for _, uid in found]
        if old is not None and pointed and await tx.fetchval(_sql.reaches, old.uid, pointed):
            raise ValidationError(
                f"{kind.noun} {path.name!r} would depend on itself",
                hint="Follow its references: one of them leads back to it.",
            )
        return found

    def merged(
        self,
        kind: Kind,
        path: Path,
        sent: admission.Envelope,
        old: Resource | None,
        owner: Resource | None,
        by: Caller,
        now: datetime,
    ) -> Resource:
        """What there is once ``sent`` was put."""
        if old is None:
            states: tuple[State, ...] = (
                ("pending",) if kind.flow else ("pending", "creating", "active")
            )
            uid = uuid.uuid4()
            return Resource(
                uid=uid,
                kind=kind.noun,
                ref=ref_of(kind, path),
                name=path.name,
                tenant=path.tenant,
                workspace=path.workspace,
                region=(sent.region or self.region) if kind.regional else "",
                parent_ref=parent_ref(kind, path, self.registry),
                owner_uid=owner.uid if owner else None,
                root_uid=owner.root_uid if owner else uid,
                created_by=by.subject,
                labels=sent.labels,
                annotations=sent.annotations,
                extensions=sent.extensions,
                spec=sent.spec,
                spec_version=kind.version,
                status={},
                state=states[-1],
                conditions=grown([], *states, at=now),
                version=1,
                generation=1,
                created_at=now,
                modified_at=now,
            )
        states = ("updating",) if kind.flow else ("updating", "active")
        return msgspec.structs.replace(
            old,
            labels=sent.labels,
            annotations=sent.annotations,
            extensions=sent.extensions,
            spec=sent.spec,
            spec_version=kind.version,
            status=dict(old.status),
            state=states[-1],
            conditions=grown(old.conditions, *states, at=now),
            version=old.version + 1,
            generation=old.generation + 1,
            modified_at=now,
        )

    async def _attach(
        self,
        tx: Tx,
        kind: Kind,
        new: Resource,
        sent: admission.Envelope,
        targets: list[tuple[str, uuid.UUID]],
    ) -> None:
        if any(ref.bind == "early" for ref in kind.refs):
            await tx.execute(_sql.unpoint, new.uid)
            for field, uid in targets:
                await tx.execute(_sql.point, new.uid, field, uid)
        for field, value in sent.secrets.items():
            if value is not None:
                await self.sealer.seal(tx, new.tenant, new.uid, field, value)

    async def delete(
        self,
        tx: Tx,
        resource: Resource,
        by: Caller,
        *,
        if_version: int | None = None,
        owner: Resource | None = None,
    ) -> None:
        """Ask for removal. Kinds without a flow are gone at once; a flow goes on from here.

        Raises ``Conflict`` while something depends on it. Asking again is no error.
        """
        resource = await self.by_uid(tx, resource.uid, lock=True)
        if resource.deleted_at is not None:
            raise NotFound(f"{resource.ref} does not exist")
        check_version(resource.ref, resource.version, if_version)
        if resource.owner_uid is not None and (owner is None or owner.uid != resource.owner_uid):
            raise _owned(resource)
        if resource.state == "deleting":
            return
        kind = self.registry[resource.kind]
        # First what its hooks take along: a refusal afterwards rolls all of it back.
        await (kind.hooks or _NO_HOOKS).removing(tx, self, resource, by)
        await self._check_unneeded(tx, kind, resource)
        if kind.flow is None:
            await self.finish_delete(tx, resource, by)
            return
        now = await tx.now()
        resource.state = "deleting"
        resource.conditions = grown(resource.conditions, "deleting", at=now)
        resource.version += 1
        resource.modified_at = now
        await self.save(tx, resource, "delete", by, Wake.DELETING)
        tx.after_commit(self.woken)

    async def _check_unneeded(self, tx: Tx, kind: Kind, resource: Resource) -> None:
        users = await tx.fetch(_sql.pointing_at, resource.uid)
        if not users:
            users = await tx.fetch(_sql.below, resource.ref)
        if not users and kind.noun == "workspace":
            users = await tx.fetch(_sql.in_workspace, resource.tenant, resource.name)
        if not users and kind.noun == "tenant":
            users = await tx.fetch(_sql.in_tenant, resource.name)
        if users:
            names = ", ".join(f"{u['kind']} {u['name']}" for u in users[:5])
            raise Conflict(
                f"{kind.noun} {resource.name!r} is still needed by {names}"
                + (" and more" if len(users) > 5 else ""),
                hint="Delete those first.",
            )

    async def finish_delete(self, tx: Tx, resource: Resource, by: Caller = SYSTEM) -> None:
        """The resource is gone: the row stays as history, its secrets do not."""
        now = await tx.now()
        if resource.state != "deleting":
            resource.conditions = grown(resource.conditions, "deleting", at=now)
            resource.state = "deleting"
        resource.version += 1
        resource.modified_at = resource.deleted_at = now
        await self.save(tx, resource, "deleted", by)
        await tx.execute(_sql.unpoint, resource.uid)
        await self.sealer.drop(tx, resource.uid)
        await tx.execute(_sql.drop_flow, resource.uid)
        await quotas.give_back(tx, self.registry[resource.kind], resource.tenant)

    async def intend(self, tx: Tx, uid: uuid.UUID, intent: str) -> None:
        """Tell a resource's flow of something its next step has to take. Twice is once."""
        await tx.execute(_sql.add_intent, uid, intent)
        tx.after_commit(self.woken)

    async def act(
        self, tx: Tx, resource: Resource, action: str, body: Any, by: Caller
    ) -> Mapping[str, Any]:
        """Do an action, or leave it to the flow as an intent."""
        kind = self.registry[resource.kind]
        resource = await self.by_uid(tx, resource.uid, lock=True)
        if resource.deleted_at is not None:
            raise NotFound(f"{resource.ref} does not exist")
        if resource.state == "deleting":
            raise Conflict(f"{kind.noun} {resource.name!r} is being deleted")
        done = await (kind.hooks or _NO_HOOKS).act(tx, self, resource, action, body, by)
        if done is None and kind.flow is not None:
            await self.intend(tx, resource.uid, action)
            tx.after_commit(self.woken)
        await changes.record(
            tx,
            kind="action",
            subject=resource.ref,
            verb=action,
            tenant=resource.tenant,
            workspace=resource.workspace,
            actor=by.subject,
            body={"action": action, "ref": resource.ref, "body": _told(kind, action, body)},
        )
        tx.after_commit(self.changed)
        return done or {}


def _told(kind: Kind, name: str, body: Any) -> Any:
    """An action's body as it is recorded: without its secrets."""
    shown = msgspec.to_builtins(body)
    for action in kind.actions:
        if action.name == name and isinstance(shown, dict):
            shown = {k: v for k, v in shown.items() if k not in action.secrets}
    return shown


def check_version(ref: str, version: int | None, wanted: int | None) -> None:
    """SECA's ``if-unmodified-since``: an integer resource version; 0: there is none yet."""
    if wanted is not None and (version or 0) != wanted:
        now = "it does not exist" if version is None else f"it is at version {version}"
        raise PreconditionFailed(
            f"{ref} is not at version {wanted}: {now}",
            hint="Read it again, apply your change to what is there now, and repeat.",
        )


def _owned(resource: Resource) -> Conflict:
    return Conflict(
        f"{resource.kind} {resource.name!r} is part of another resource and changes with it",
        hint="Change or delete the resource that owns it.",
    )
