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
with stretch as materialized (
  select s.id, s.lease, s.source, s.price, s.per, s.rate, s.billed_us, s.quantity, s.posted,
    s.unbilled, s.ended_at, s.settled_until as starts_at,
    least($2::timestamptz, coalesce(s.ended_at, m.seen_until)) as ends_at,
    not s.closed and s.rate is not null as runs
  from stream s join meter_source m on m.name = s.source
  where s.lease = any($1::uuid[])
), gap as materialized (
  select * from meter_gap where ends_at > (select min(starts_at) from stretch where runs)
), billed as (
  select stretch.*, billed_us + (extract(epoch from ends_at - starts_at) * 1000000)::bigint
    - coalesce((select sum(extract(epoch from
          least(gap.ends_at, stretch.ends_at) - greatest(gap.starts_at, stretch.starts_at)))
        from gap where gap.source = stretch.source
          and gap.starts_at < stretch.ends_at and gap.ends_at > stretch.starts_at) * 1000000,
      0)::bigint as us
  from stretch where runs and ends_at > starts_at
  offset 0  -- or each use of `us` would compute it again
), used as (
  -- As rate * us may be too large for 64 bits: whole seconds, then the rest of one.
  select billed.*, rate * (us / 1000000) + rate * (us % 1000000) / 1000000 as total
  from billed
  offset 0
), due as materialized (
  -- The same for the price, unless it is so high that a part of a unit is too large as well.
  select used.*, total - quantity as more,
    case when price <= 9223372036854775807 / per
      then price * (total / per) + price * (total % per) / per
      else div(price::numeric * total, per)::bigint end - posted - unbilled as amount,
    case when starts_at >= $4::date::timestamp at time zone 'UTC' then $4::date
      else date_trunc('month', starts_at at time zone 'UTC')::date end as month
  from used
), odd as materialized (
  select lease from stretch
  where runs and (ended_at < starts_at
    or starts_at < $4::date::timestamp at time zone 'UTC'
      and ends_at > date_trunc('month', starts_at, 'UTC') + interval '1 month')
), standing as materialized (
  select d.lease, d.amount, d.hourly, h.tenant, h.workspace, h.product, h.currency, h.horizon,
    h.ceiling - h.amount as room, h.amount - p.posted - d.amount as remaining
  from (
    select lease, sum(amount)::bigint as amount,
      sum(div(price::numeric * rate * 3600, per))::bigint as hourly
    from due where lease not in (select lease from odd) group by lease
  ) d
  join hold h on h.lease = d.lease
  join (select lease, sum(posted)::bigint as posted from stretch group by lease) p
    on p.lease = d.lease
), charged as materialized (
  select d.*, c.tenant, c.workspace, c.product, c.currency,
    case when i.period is null then d.month else $4::date end as period
  from due d
  join standing c on c.lease = d.lease and c.remaining >= 0
  left join invoice i on i.tenant = c.tenant and i.period = d.month
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
