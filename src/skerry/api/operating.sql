-- name: nodes
select name, roles, version, started_at, seen_at,
  extract(epoch from clock_timestamp() - seen_at)::float8 as silent
from node where seen_at > clock_timestamp() - interval '30 seconds' order by name, id

-- name: places
select at, agent_version, clock_ahead,
  extract(epoch from skerry_now() - last_seen_at)::float8 as silent
from site_contact order by at

-- name: queue
select count(*) as flows,
  count(*) filter (where wake_at <= skerry_now() and lease_until is null) as due,
  count(*) filter (where tries > 0) as failing,
  count(*) filter (where deadline < skerry_now()) as overdue,
  coalesce(extract(epoch from skerry_now() - min(wake_at) filter
    (where wake_at <= skerry_now() and lease_until is null)), 0)::float8 as waited
from flow

-- name: alerts
select count(*) as open, min(raised_at) as since from alert where cleared_at is null

-- name: log
select (select coalesce(max(position) + 1, 0) from feed) as positions,
  (select count(*) from (select 1 from change c where (c.xid, c.version, c.id) >
    (select s.xid, s.version, s.id from sequencer s) limit 100000) waiting) as unsequenced,
  last.size, last.at, extract(epoch from skerry_now() - last.at)::float8 as age
from (select 1) one left join lateral
  (select size, at from checkpoint order by size desc limit 1) last on true

-- name: ledger
select currency, sum(debits_posted - credits_posted) as posted,
  sum(debits_pending - credits_pending) as pending, count(*) as accounts
from account group by currency order by currency

-- name: metering
select count(*) as streams,
  coalesce(extract(epoch from skerry_now() - min(settled_until)), 0)::float8 as behind
from stream where not closed

-- name: holds
select state, count(*) as count from hold where state <> 'closed' group by state order by state

-- name: hosts
-- What spoke for a host at some time of a span.
select * from subject where sort = 'host' and made_at < $2 and seen_at >= $1 order by source, id

-- name: capacity
select at, capacity from site_contact where capacity is not null order by at

-- name: offers
-- Those on sale, and those that something is still leased of.
select o.version, s.used, t.body
from offer o
join offer_state s on s.offer = o.id and s.version = o.version
join offer_terms t on t.digest = s.terms
where not o.retired or exists (select from lease l where l.offer = o.id and l.state <> 'closed')
