-- name: flows
select kind, count(*) as count,
  count(*) filter (where wake_at <= skerry_now() and lease_until is null) as due,
  count(*) filter (where tries > 0) as failing,
  count(*) filter (where deadline < skerry_now()) as overdue
from flow group by kind order by kind

-- name: alerts
select reason, count(*) as count from alert where cleared_at is null group by reason order by reason

-- name: places
select at, extract(epoch from skerry_now() - last_seen_at)::float8 as silent
from site_contact where last_seen_at is not null order by at

-- name: feed
select coalesce((select max(position) from feed), -1) as position,
  coalesce((
    select extract(epoch from skerry_now() - min(c.at))::float8 from change c
    where (c.xid, c.version, c.id) > (select s.xid, s.version, s.id from sequencer s)
  ), 0) as lag
