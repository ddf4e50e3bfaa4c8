-- name: plan_for_many
-- Plans made for arrays of unknown length join thousands of rows one by one.
set local plan_cache_mode = force_custom_plan

-- name: chunks
-- Where each run of $1 leases ends, by tenant, so that a batch has few accounts.
select tenant, lease from (
  select tenant, lease, row_number() over (order by tenant, lease) as place from hold
  where state = 'open'
) all_leases
where place % $1 = 0
order by tenant, lease

-- name: leases_between
-- Those that someone else is settling are left to them.
select lease from hold
where state = 'open' and (tenant, lease) > ($1, $2)
  and ($3::text is null or (tenant, lease) <= ($3, $4))
order by tenant, lease
for no key update skip locked

-- name: settle_leases
-- Bring the running streams of leases $1 up to instant $2 in batch $3; $4 is the month that stands
-- in for closed ones. The same arithmetic as windows.py, for all at once. Leases that need a closer
-- look (not covered by their hold, ended before they were settled to, or behind by a month's end)
-- are left alone and told as 'odd'; those whose hold covers less than half their horizon as 'low'.
with span as (
  select s.id, s.lease, s.source, s.price, s.per, s.rate, s.billed_us, s.quantity, s.posted,
    s.unbilled, s.ended_at, s.settled_until as starts_at,
    case when s.ended_at is null then least($2::timestamptz, m.seen_until)
      else least($2::timestamptz, s.ended_at) end as ends_at,
    date_trunc('month', s.settled_until, 'UTC') as month
  from stream s join meter_source m on m.name = s.source
  where s.lease = any($1::uuid[]) and not s.closed and s.rate is not null
), gap as materialized (
  select * from meter_gap where ends_at > (select min(starts_at) from span)
), billed as (
  select span.*, span.billed_us
    + (extract(epoch from span.ends_at - span.starts_at) * 1000000)::bigint
    - coalesce((select sum(extract(epoch from
          least(gap.ends_at, span.ends_at) - greatest(gap.starts_at, span.starts_at)) * 1000000)
        from gap where gap.source = span.source
          and gap.starts_at < span.ends_at and gap.ends_at > span.starts_at), 0)::bigint as us
  from span where span.ends_at > span.starts_at
), used as (
  select billed.*, div(rate::numeric * us, 1000000)::bigint as total from billed
), due as materialized (
  select used.*, total - quantity as more,
    div(price::numeric * total, per)::bigint - posted - unbilled as amount,
    div(price::numeric * rate * 3600, per)::bigint as hourly
  from used
), odd as materialized (
  select lease from span where ended_at < starts_at or ends_at > month + interval '1 month'
), standing as materialized (
  select d.lease, d.amount, d.hourly, h.tenant, h.workspace, h.product, h.currency, h.horizon,
    h.ceiling - h.amount as room, h.amount - p.posted - d.amount as remaining
  from (
    select lease, sum(amount)::bigint as amount, sum(hourly)::bigint as hourly
    from due where lease not in (select lease from odd) group by lease
  ) d
  join hold h on h.lease = d.lease
  join (
    select lease, sum(posted)::bigint as posted from stream where lease = any($1::uuid[])
    group by lease
  ) p on p.lease = d.lease
), charged as materialized (
  select d.*, c.tenant, c.workspace, c.product, c.currency,
    case when i.period is null then (d.month at time zone 'UTC')::date else $4::date end as period
  from due d
  join standing c on c.lease = d.lease and c.remaining >= 0
  left join invoice i on i.tenant = c.tenant and i.period = (d.month at time zone 'UTC')::date
), written as (
  insert into usage (stream, starts_at, ends_at, quantity, amount, unbilled, period, batch)
  select id, starts_at, ends_at, more, amount, 0, period, $3 from charged where more > 0
), moved as (
  update stream s set settled_until = c.ends_at, billed_us = c.us, quantity = c.total,
    posted = s.posted + c.amount, closed = coalesce(c.ended_at <= c.ends_at, false)
  from charged c where s.id = c.id
)
select 'charge' as what, null::uuid as lease, tenant, workspace, product, currency, period,
  sum(amount)::bigint as amount, 0 as remaining, 0 as hourly, 0 as horizon, null::bigint as room
from charged group by tenant, workspace, product, currency, period
union all
select 'low', lease, tenant, workspace, product, currency, null, amount, remaining, hourly, horizon,
  room
from standing
where remaining >= 0 and remaining::numeric * 7200 < hourly::numeric * horizon
  and (room is null or room > 0)
union all
select 'odd', lease, tenant, '', '', '', null, 0, 0, 0, 0, null from standing where remaining < 0
union all
select distinct 'odd', lease, '', '', '', '', null::date, 0, 0, 0, 0, null::bigint from odd

-- name: grow_holds
update hold h set amount = h.amount + t.amount
from unnest($1::uuid[], $2::bigint[]) as t (lease, amount)
where h.lease = t.lease
