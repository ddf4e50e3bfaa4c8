"""What is refused of a schedule in its own request."""

import msgspec

from skerry.kernel.errors import Problem, Source, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.schedules import cron
from skerry.products.run.schedules.specs import NAME, ScheduleSpec
from skerry.store import Tx


class ScheduleHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(ScheduleSpec)
        if len(new.name) > NAME:
            raise ValidationError(
                f"the name has {len(new.name)} characters",
                hint=f"At most {NAME}: its jobs' names add the time.",
            )
        if spec.job.secret_env is not None:
            raise ValidationError(
                "job.secretEnv can't be kept in a schedule",
                hint="Put the values into a secret and name it under job.secrets.",
                sources=[Source(pointer="/spec/job/secretEnv")],
            )
        now = await tx.now()
        try:
            following = next(cron.times(spec.cron, spec.time_zone, now), None)
        except ValueError as error:
            field = "timeZone" if "time zone" in str(error) else "cron"
            raise ValidationError(
                f"{field}: {error}",
                hint="Five fields: minute, hour, day of month, month, day of week, as in "
                "'30 2 * * 1-5'. Zones have names such as Europe/Berlin.",
                sources=[Source(pointer=f"/spec/{field}")],
            ) from None
        await self._check_job(tx, resources, new, by)
        if spec.suspended or following is None:
            return Admitted({"phase": "suspended" if spec.suspended else "over", "nextAt": None})
        return Admitted({"phase": "waiting", "nextAt": stamp(following)})

    async def _check_job(self, tx: Tx, resources: Resources, new: Resource, by: Caller) -> None:
        """The job as if it were put now, by the same caller: later Skerry itself puts it."""
        kind = resources.registry["job"]
        job = msgspec.structs.replace(new, kind="job", spec=new.spec["job"], status={})
        try:
            assert kind.hooks is not None
            await kind.hooks.admit(tx, resources, job, None, by)
        except Problem as problem:
            problem.sources = [
                msgspec.structs.replace(s, pointer=s.pointer.replace("/spec", "/spec/job", 1))
                for s in problem.sources
            ]
            raise
