-- name: queues
-- All queues of one cohort, or all there are.
select ref, tenant, name, spec from resource
where kind = 'queue' and deleted_at is null order by tenant, name

-- name: queues_of
-- Those of a tenant.
select ref, tenant, name, spec from resource
where tenant = $1 and kind = 'queue' and deleted_at is null order by name

-- name: cohorts
select name, spec from resource where kind = 'cohort' and deleted_at is null

-- name: class_of
select spec from resource where kind = 'priority-class' and name = $1 and deleted_at is null

-- name: find
select * from queue_entry where owner = $1

-- name: add
insert into queue_entry (owner, queue, tenant, workspace, subject, priority, preempts, preemptible,
  notice, millicores, memory, gpus, models, duration, asked_at, state, admitted_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (owner) do update set queue = excluded.queue, priority = excluded.priority,
  preempts = excluded.preempts, preemptible = excluded.preemptible, notice = excluded.notice,
  millicores = excluded.millicores, memory = excluded.memory, gpus = excluded.gpus,
  models = excluded.models, duration = excluded.duration, state = excluded.state,
  admitted_at = excluded.admitted_at, model = ''

-- name: drop
delete from queue_entry where owner = $1 returning *

-- name: drop_gone
-- Entries whose owners are gone.
delete from queue_entry e using resource r
where r.uid = e.owner and r.deleted_at is not null

-- name: rest
-- It found no place: its quota is free, and it is tried again later.
update queue_entry set state = 'waiting', admitted_at = null, rests_until = $2,
  unplaced_since = case when $3::timestamptz is not null then coalesce(unplaced_since, $3) end
where owner = $1

-- name: placed
update queue_entry set rests_until = null, unplaced_since = null where owner = $1

-- name: take_turn
-- Hands that meet take turns.
select pg_advisory_xact_lock(hashtextextended('skerry queues', 0))

-- name: anybody
select exists (select from queue_entry where state = 'waiting')
  or exists (select from queue_entry where evicted_at is not null and not warned)

-- name: used
select queue, model, sum(millicores)::bigint as millicores, sum(memory)::bigint as memory,
  sum(gpus)::bigint as gpus, count(*) as entries
from queue_entry where state = 'admitted' group by queue, model

-- name: groups
-- What waits, by what it asks for.
select queue, priority, preempts, millicores, memory, gpus, models, count(*) as entries
from queue_entry where state = 'waiting'
group by queue, priority, preempts, millicores, memory, gpus, models
order by queue, priority desc

-- name: heads
-- The first so many of each of those groups.
select e.owner, e.queue, e.subject, e.priority, e.preempts, e.millicores, e.memory, e.gpus,
  e.models, e.duration, e.asked_at, e.number, e.rests_until, e.unplaced_since, e.told,
  e.preemptible
from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
  $7::int[], $8::boolean[]) as g (queue, priority, millicores, memory, gpus, models, most, preempts)
cross join lateral (
  select * from queue_entry w
  where w.state = 'waiting' and w.queue = g.queue and w.priority = g.priority
    and w.millicores = g.millicores and w.memory = g.memory and w.gpus = g.gpus
    and array_to_string(w.models, ',') = g.models and w.preempts = g.preempts
  order by w.asked_at, w.number limit g.most
) e

-- name: releases
-- What is admitted, and when it ends at the latest, as far as is known.
select e.owner, e.queue, e.model, e.millicores, e.memory, e.gpus, e.evicted_at,
  coalesce(l.drains_until,
    case when e.duration > 0
      then coalesce(l.confirmed_at, e.admitted_at) + make_interval(secs => e.duration) end,
    case when p.runs > 0
      then coalesce(l.confirmed_at, e.admitted_at) + make_interval(secs => p.seconds) end) as ends,
  l.drains_until is not null or e.duration > 0 as sure
from queue_entry e
left join lease l on l.owner = e.owner and l.part = '' and l.state <> 'closed'
left join queue_past p on p.queue = e.queue and p.millicores = e.millicores and p.gpus = e.gpus
where e.state = 'admitted' and e.queue = any($1::text[])

-- name: admit
update queue_entry e set state = 'admitted', model = a.model, admitted_at = $3, told = true,
  rests_until = null
from unnest($1::uuid[], $2::text[]) as a (owner, model)
where e.owner = a.owner and e.state = 'waiting'
returning e.owner

-- name: free
-- Nobody waits for a queue that is gone, or has no say any more.
update queue_entry set state = 'admitted', model = '', admitted_at = $2
where state = 'waiting' and not (queue = any($1::text[]))
  and (rests_until is null or rests_until <= $2)
returning owner

-- name: add_round
with told as (
  insert into change (id, at, kind, subject, verb, tenant, workspace, actor, version, body, salt,
    leaf, address)
  values ($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
)
insert into queue_round (id, at, queue, body) values ($1, $2, $3, $4)

-- name: round
select * from queue_round where id = $1

-- name: past
insert into queue_past (queue, millicores, gpus, runs, seconds) values ($1, $2, $3, 1, $4)
on conflict (queue, millicores, gpus) do update set runs = queue_past.runs + 1,
  seconds = queue_past.seconds
    + (excluded.seconds - queue_past.seconds) / least(queue_past.runs + 1, 20)

-- name: numbers
-- How many wait and are admitted, by queue.
select queue, count(*) filter (where state = 'waiting') as waiting,
  count(*) filter (where state = 'admitted') as admitted
from queue_entry where queue = any($1::text[]) group by queue

-- name: line
-- The first so many that wait for each of those queues, and those of some owners, each with its
-- place.
select * from (
  select *, row_number() over (partition by queue order by priority desc, asked_at, number) as place
  from queue_entry where state = 'waiting' and queue = any($1::text[])
) w
where place <= $2 or owner = any($3::uuid[])
order by place

-- name: of_owners
select * from queue_entry where owner = any($1::uuid[])

-- name: preemptible
select exists (select from queue_entry where state = 'admitted' and preemptible)

-- name: victims
-- Jobs that run and have not been told to end. What is lost is what each has cost since its lease.
select e.owner, e.queue, e.tenant, e.subject, e.priority, e.preemptible, e.notice, e.millicores,
  e.memory, e.gpus, e.model, l.id as lease,
  (extract(epoch from skerry_now() - l.confirmed_at)
    * ((d.body::json -> 'chosen' -> 'price' ->> 'perHour')::bigint / 3600.0))::bigint as lost
from queue_entry e
join lease l on l.owner = e.owner and l.part = '' and l.state = 'active'
join decision d on d.id = l.decision
join resource r on r.uid = e.owner and r.kind = 'job'
where e.state = 'admitted' and e.evicted_at is null

-- name: going
-- The leases that end, since their owners were told to.
select l.id as lease from queue_entry e
join lease l on l.owner = e.owner and l.part = '' and l.state <> 'closed'
where e.evicted_at is not null

-- name: served
-- For whom somebody ends already.
select distinct evicted_for from queue_entry where evicted_at is not null

-- name: unplaced
-- Those who have found every place taken that would do.
select * from queue_entry where unplaced_since is not null
order by priority desc, asked_at, number limit 100

-- name: evict
update queue_entry set evicted_at = $2, evicted_for = $3, evicted_why = $4, warned = false
where owner = $1 and state = 'admitted' and evicted_at is null

-- name: room_made
update queue_entry set room_made_at = $2 where owner = $1

-- name: comes_first
-- Whether one, with GPUs or without, waits for a place that was made for it since a time.
select gpus > 0 as gpus from queue_entry
where room_made_at > $1 and unplaced_since is not null and not preemptible
group by gpus > 0

-- name: to_tell
select owner from queue_entry where evicted_at is not null and not warned limit 1000

-- name: warned
update queue_entry set warned = true where owner = $1
