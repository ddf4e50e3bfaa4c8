-- name: share_months
-- Many settle at once; closing an invoice waits for them and they for it.
select pg_advisory_xact_lock_shared(7205759403792794)

-- name: own_months
select pg_advisory_xact_lock(7205759403792794)

-- name: closed_months
select tenant, period from invoice where tenant = any($1)

-- name: quantity_of
select quantity from usage where stream = $1 and starts_at = $2

-- name: advance
update stream set settled_until = $2, billed_us = $3, quantity = $4, posted = posted + $5,
  unbilled = unbilled + $6,
  closed = closed or (rate is not null and ended_at is not null and ended_at <= $2)
where id = $1

-- name: close_streams
update stream set closed = true where lease = $1 and not closed

-- name: spend
insert into spending (tenant, workspace, currency, period, amount)
select tenant, workspace, currency, period, sum(amount)
from unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::bigint[])
  as t (tenant, workspace, currency, period, amount)
group by tenant, workspace, currency, period
order by tenant, workspace, currency, period
on conflict (tenant, workspace, currency, period)
do update set amount = spending.amount + excluded.amount

-- name: add_usage
insert into usage (stream, starts_at, ends_at, quantity, amount, unbilled, period, batch)
select stream, starts_at, ends_at, quantity, amount, unbilled, period, $1
from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::bigint[],
  $7::bigint[], $8::date[])
  as t (stream, starts_at, ends_at, quantity, amount, unbilled, period)
