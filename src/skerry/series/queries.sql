-- name: register
-- Subjects by what they are called; what they belong to is looked up where there is an owner.
insert into subject (source, sort, name, rank, owner, tenant, workspace, made_at, seen_at)
select $1, $2, t.name, t.rank, t.owner, coalesce(r.tenant, ''), coalesce(r.workspace, ''),
  (select skerry_now()), (select skerry_now())
from unnest($3::text[], $4::integer[], $5::uuid[]) as t (name, rank, owner)
left join resource r on r.uid = t.owner
where t.owner is null or r.uid is not null
on conflict (source, name, rank) do update set seen_at = skerry_now()
returning id, name, rank

-- name: forget_future
-- Where the clock has gone back, what was said by the old one stands in the future. It goes, with
-- what the new one could take for growth within a moment.
delete from tick where source = $1 and at >= $3
  and exists (select from tick where source = $1 and at >= $3 and taken_at > $2)

-- name: write_tick
insert into tick (at, source, taken_at, subjects, cpu, memory, received, sent, gpu, gpu_memory,
  disk, requests, failures, waited)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (source, at) do nothing
returning at

-- name: ticks
select * from tick where at >= $1 and at < $2 order by source, at

-- name: ticks_of
select * from tick where at >= $1 and at < $2 and source = any($3::text[]) order by source, at

-- name: first_tick
select min(at) from tick where at >= $1

-- name: drop_ticks
delete from tick where at < $1

-- name: pack_lock
select pg_try_advisory_xact_lock(2054126551)

-- name: packed
select until from packed where level = $1

-- name: set_packed
insert into packed (level, until) values ($1, $2)
on conflict (level) do update set until = $2

-- name: seen
update subject set seen_at = $2 where id = any($1::integer[]) and seen_at < $2

-- name: forget_subjects
delete from subject where seen_at < $1

-- name: averages
-- Means and peaks of five minutes, for the hour's row.
select subject, start, mean, peak from sample where start >= $1 and start < $2
order by subject, start

-- name: keep_partitions
select keep_partitions($1, $2::interval, $3, $4)

-- name: has_partition
select to_regclass(format('%s_%s', $1::text,
  floor(extract(epoch from $3::timestamptz) / extract(epoch from $2::interval))::bigint
    * extract(epoch from $2::interval)::bigint)) is not null

-- name: impatient
set local lock_timeout = '1s'

-- name: subjects_of
-- Of a resource and all that it owns.
with recursive family as (
  select uid from resource where uid = $1
  union all
  select r.uid from resource r join family f on r.owner_uid = f.uid
)
select s.* from subject s join family f on s.owner = f.uid
where s.made_at < $3 and s.seen_at >= $2
order by s.made_at, s.source, s.name, s.rank

-- name: subjects_at
-- Hosts: one, or all of a site.
select * from subject
where sort = 'host' and (source = $1 or starts_with(source, $1 || '/'))
order by source

-- name: gpus_at
-- Devices of a host, or of all hosts of a site.
select * from subject
where sort = 'gpu' and (source = $1 or starts_with(source, $1 || '/')) and seen_at >= $2
order by source, name

-- name: means
select subject, start, mean, peak from sample
where subject = any($1::integer[]) and start >= $2 and start < $3

-- name: samples
-- Only the series asked for ($4, columns); arrays as they are sent, see `reading`.
select subject, start,
  case when 'cpu' = any($4::text[]) then array_send(cpu) end as cpu,
  case when 'memory' = any($4) then array_send(memory) end as memory,
  case when 'received' = any($4) then array_send(received) end as received,
  case when 'sent' = any($4) then array_send(sent) end as sent,
  case when 'gpu' = any($4) then array_send(gpu) end as gpu,
  case when 'gpu_memory' = any($4) then array_send(gpu_memory) end as gpu_memory,
  case when 'disk' = any($4) then array_send(disk) end as disk,
  case when 'requests' = any($4) then array_send(requests) end as requests,
  case when 'failures' = any($4) then array_send(failures) end as failures,
  case when 'waited' = any($4) then array_send(waited) end as waited
from sample where subject = any($1::integer[]) and start >= $2 and start < $3

-- name: rollups
select subject, start,
  case when 'cpu' = any($4::text[]) then array_send(cpu) end as cpu,
  case when 'memory' = any($4) then array_send(memory) end as memory,
  case when 'received' = any($4) then array_send(received) end as received,
  case when 'sent' = any($4) then array_send(sent) end as sent,
  case when 'gpu' = any($4) then array_send(gpu) end as gpu,
  case when 'gpu_memory' = any($4) then array_send(gpu_memory) end as gpu_memory,
  case when 'disk' = any($4) then array_send(disk) end as disk,
  case when 'requests' = any($4) then array_send(requests) end as requests,
  case when 'failures' = any($4) then array_send(failures) end as failures,
  case when 'waited' = any($4) then array_send(waited) end as waited,
  case when 'cpu' = any($4) then array_send(cpu_peak) end as cpu_peak,
  case when 'memory' = any($4) then array_send(memory_peak) end as memory_peak,
  case when 'received' = any($4) then array_send(received_peak) end as received_peak,
  case when 'sent' = any($4) then array_send(sent_peak) end as sent_peak,
  case when 'gpu' = any($4) then array_send(gpu_peak) end as gpu_peak,
  case when 'gpu_memory' = any($4) then array_send(gpu_memory_peak) end as gpu_memory_peak,
  case when 'disk' = any($4) then array_send(disk_peak) end as disk_peak,
  case when 'requests' = any($4) then array_send(requests_peak) end as requests_peak,
  case when 'failures' = any($4) then array_send(failures_peak) end as failures_peak,
  case when 'waited' = any($4) then array_send(waited_peak) end as waited_peak
from rollup where subject = any($1::integer[]) and start >= $2 and start < $3

-- name: first_sample
select min(start) from sample where start >= $1

-- name: live_subjects
select s.*, r.kind, r.name as resource, r.ref, r.root_uid
from subject s left join resource r on r.uid = s.owner
where s.seen_at >= $1 and ($2 = '' or s.tenant = $2) and ($3 = '' or s.workspace = $3)
  and ($4 = '' or s.sort = $4)
order by s.id

-- name: newest_ticks
select distinct on (source) * from tick where at >= $1 order by source, at desc

-- name: subjects
select s.*, r.kind, r.name as resource, r.ref
from subject s left join resource r on r.uid = s.owner
where s.id = any($1::integer[])
