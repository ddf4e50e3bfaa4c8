-- name: claim
-- The oldest due flows that nobody holds: ``greatest`` passes over a lease that is null. The token
-- fences everything done under this claim.
with due as (
  select uid from flow where greatest(wake_at, lease_until) <= (select skerry_now())
  order by greatest(wake_at, lease_until) limit $1 for update skip locked
)
update flow f set token = nextval('flow_token'), lease_until = n.now + $2::interval, holder = $3
from due, (select skerry_now() as now offset 0) n
where f.uid = due.uid
returning f.*, n.now

-- name: free
-- What a process held that was killed, by the one that takes its place.
update flow set lease_until = null where holder = $1 and lease_until is not null

-- name: resources_of
select * from resource where uid = any($1::uuid[])

-- name: heartbeat
-- A row that is locked is being committed, which gives it a new lease.
update flow set lease_until = skerry_now() + $2::interval
where uid in (
  select uid from flow where token = any($1::bigint[]) and lease_until is not null
  for update skip locked
)

-- name: hold
-- The committing transaction's proof that the claim still stands. The resource's row is locked
-- first, then the flow's, as a put does: else the two could deadlock.
select r.*, f.intents as flow_intents, f.poke as flow_poke, skerry_now() as flow_now
from resource r join flow f on f.uid = r.uid
where r.uid = $1 and f.token = $2 and f.lease_until is not null
for update of r, f

-- name: advance
update flow set step = $2, data = $3, wake_at = $4, entered_at = $5, deadline = $6,
  generation = $7, intents = $8, tries = 0, problem = '', lease_until = $9
where uid = $1
returning *, $10::timestamptz as now

-- name: onward
-- What follows a step that told nothing, if nothing has happened to the flow since it was claimed.
with n as materialized (select skerry_now() as now)
update flow f set step = $4, data = $5, wake_at = n.now + make_interval(secs => $6),
  entered_at = case when $7 then n.now else f.entered_at end,
  deadline = case when $7 then n.now else f.entered_at end + make_interval(secs => $8),
  generation = $9, tries = 0, problem = '',
  lease_until = case when $6 <= 0 then n.now + $10::interval end
from n
where f.uid = $1 and f.token = $2 and f.poke = $3 and f.lease_until is not null
  and (f.deadline is null or f.deadline >= n.now)
returning f.*, n.now

-- name: fail
update flow set tries = tries + 1, problem = $3, lease_until = null,
  wake_at = skerry_now() + $4::interval
where uid = $1 and token = $2

-- name: about
-- For an alert; asked by SQL, since the kind itself may be what is unknown here.
select ref, tenant from resource where uid = $1

-- name: next_wake
-- Seconds until something is due, held flows at the end of their lease.
select extract(epoch from greatest(wake_at, lease_until) - skerry_now())::float8
from flow order by greatest(wake_at, lease_until) limit 1

-- name: overdue
select f.uid, f.kind, f.step, f.problem, f.tries, f.entered_at, r.ref, r.tenant
from flow f join resource r on r.uid = f.uid
where f.deadline < skerry_now()
  and not exists (select 1 from alert a where a.subject = r.ref and a.reason = 'Overdue'
    and a.cleared_at is null)
limit 1000

-- name: raise_alert
insert into alert (id, subject, tenant, reason, message, remedy, raised_at, quiet)
values ($1, $2, $3, $4, $5, $6, skerry_now(), $7)
on conflict (subject, reason) where cleared_at is null do nothing
returning id

-- name: clear_alerts
update alert set cleared_at = skerry_now() where subject = $1 and cleared_at is null
returning *

-- name: clear_alert
update alert set cleared_at = skerry_now()
where subject = $1 and reason = $2 and cleared_at is null
returning *

-- name: alert
select subject, reason, message, remedy from alert where id = $1

-- name: open_alerts
select * from alert where cleared_at is null and ($1 = '' or tenant = $1)
order by raised_at desc limit 500

-- name: wake_idle
-- Those whose rows nobody has locked.
update flow set wake_at = skerry_now(), poke = poke + 1
where uid in (select uid from flow where uid = any($1::uuid[]) for update skip locked)
returning uid

-- name: wake
update flow set wake_at = skerry_now(), poke = poke + 1 where uid = $1
