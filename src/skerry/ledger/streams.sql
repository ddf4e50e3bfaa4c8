-- name: add_source
-- Asks first: an insert, though it did nothing, would wait for whoever moves the row's seen_until.
insert into meter_source (name, seen_until) select $1, $2
where not exists (select from meter_source where name = $1) on conflict do nothing

-- name: add
insert into stream (id, lease, meter, sku, source, region, price, per, price_version, rate,
  started_at, settled_until, devices)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)
on conflict (id) do update set devices = excluded.devices
where stream.devices = '{}' and excluded.devices <> '{}' and stream.billed_us = 0

-- name: lock_lease
select 1 from hold where lease = $1 for no key update

-- name: stop
update stream set ended_at = greatest($2, started_at) where lease = $1 and ended_at is null

-- name: seen
insert into meter_source (name, seen_until) values ($1, $2)
on conflict (name) do update set seen_until = excluded.seen_until
where meter_source.seen_until < excluded.seen_until

-- name: seen_until
select seen_until from meter_source where name = $1 for update

-- name: add_gap
insert into meter_gap (source, starts_at, ends_at) values ($1, $2, $3)

-- name: open_of_lease
select id, meter, source, price, per, rate, started_at, ended_at, settled_until, billed_us,
  quantity, posted, unbilled
from stream where lease = $1 and not closed order by id

-- name: counter
select id, meter, source, price, per, rate, started_at, ended_at, settled_until, billed_us,
  quantity, posted, unbilled
from stream where lease = $1 and meter = $2 and sku = $3 and rate is null
order by started_at <= $4 desc, greatest(started_at - $4, $4 - started_at) limit 1

-- name: sources
select name, seen_until from meter_source where name = any($1)

-- name: gaps
select source, starts_at, ends_at from meter_gap
where source = any($1) and ends_at > $2
order by source, starts_at
