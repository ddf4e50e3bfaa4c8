-- name: settings
select current_setting('server_version_num')::int as version,
  split_part(current_setting('server_version'), ' ', 1) as version_name,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit,
  current_setting('max_connections')::int as most,
  (select count(*) from pg_stat_activity where backend_type = 'client backend') as used,
  (select count(*) from pg_stat_activity
   where state like 'idle in transaction%' and clock_timestamp() - xact_start > '1 minute') as stuck

-- name: migrated
select coalesce(max(number), 0) from migration

-- name: clock
select extract(epoch from clock_timestamp())::float8 as now,
  extract(epoch from skerry_now() - transaction_timestamp())::float8 as shift

-- name: work
select
  (select count(*) from flow) as flows,
  (select count(*) from flow where tries > 0) as failing,
  (select count(*) from flow
   where wake_at < skerry_now() - interval '1 minute'
   and (lease_until is null or lease_until < skerry_now() - interval '1 minute')) as stale,
  (select coalesce(extract(epoch from max(skerry_now() - lease_until)), 0)::float8 from flow
   where lease_until < skerry_now() - interval '1 minute') as oldest,
  (select coalesce(extract(epoch from skerry_now() - min(c.at)), 0)::float8 from change c
   where (c.xid, c.version, c.id) > (select s.xid, s.version, s.id from sequencer s)) as unsequenced,
  (select coalesce(max(position) + 1, 0) from feed) as positions,
  (select coalesce(max(size), 0) from checkpoint) as logged,
  (select coalesce(extract(epoch from skerry_now() - max(at)), 0)::float8 from checkpoint) as behind

-- name: silent
select at, extract(epoch from skerry_now() - last_seen_at)::float8 as seconds
from site_contact where last_seen_at < skerry_now() - interval '1 minute' order by at

-- name: certificates
select host as name, not_after as ends, problem, skerry_now() as now
from gateway_certificate where not_after is not null and host <> '*'
order by not_after

-- name: alerts
select subject, message, remedy from alert where cleared_at is null order by raised_at desc limit $1
