-- name: lines
-- A tenant's usage on some months' invoices, summed up per lease, meter and price. Usage of an
-- earlier month, whose invoice was closed already, is a line of its own. First stream by stream, in
-- the order of usage's own index; a line has several only where a lease was resumed.
with part as (
  select u.period, u.stream, date_trunc('month', least(u.starts_at, u.ends_at), 'UTC') as month,
    sum(u.quantity)::bigint as quantity, sum(u.amount)::bigint as exact,
    sum(u.unbilled)::bigint as unbilled, min(least(u.starts_at, u.ends_at)) as starts_at,
    max(greatest(u.starts_at, u.ends_at)) as ends_at, count(*) as records,
    case when $3 then string_agg(
      sha256('\x00'::bytea || convert_to(usage_text(u, s, h), 'UTF8')), ''
      order by u.starts_at) end as hashes
  from hold h join stream s on s.lease = h.lease join usage u on u.stream = s.id
  where h.tenant = $1 and u.period = any($2::date[])
  group by u.period, u.stream, month
)
select p.period, h.lease, h.workspace, h.product, h.resource, h.root_uid, s.meter, s.sku, s.source as site,
  s.region, s.price, s.per, s.price_version, p.month, sum(p.quantity)::bigint as quantity,
  sum(p.exact)::bigint as exact, sum(p.unbilled)::bigint as unbilled,
  min(p.starts_at) as starts_at, max(p.ends_at) as ends_at, sum(p.records)::bigint as records,
  string_agg(array_to_string(s.devices, ' '), ' ') as devices,
  string_agg(p.hashes, '' order by p.stream) as hashes
from part p join stream s on s.id = p.stream join hold h on h.lease = s.lease
group by p.period, h.lease, s.meter, s.sku, s.source, s.region, s.price, s.per, s.price_version,
  p.month
order by h.workspace, h.resource, starts_at, h.lease, s.meter, s.sku, p.month

-- name: find
select document from invoice where tenant = $1 and period = $2

-- name: closed
select period, document from invoice where tenant = $1 and period = any($2::date[])

-- name: months
-- Every month in which a tenant used something or has an invoice, newest first.
select period, sum(amount)::bigint as amount, bool_or(closed) as closed from (
  select period, amount, false as closed from spending where tenant = $1
  union all
  select period, 0, true from invoice where tenant = $1
) both_of_them
group by period order by period desc

-- name: unsettled
-- Streams of a tenant that have run in a month that ended at $2 and are not settled up to then.
select count(*) from stream s join hold h on h.lease = s.lease
  join meter_source m on m.name = s.source
where h.tenant = $1 and h.state = 'open' and not s.closed and s.rate is not null
  and s.settled_until < $2
  and (s.ended_at > s.settled_until or (s.ended_at is null and m.seen_until > s.settled_until))

-- name: to_close
-- Months that ended before $1 and have usage but no invoice yet.
select distinct s.tenant, s.period from spending s
where s.period < $1
  and not exists (select 1 from invoice i where i.tenant = s.tenant and i.period = s.period)
order by s.period, s.tenant

-- name: add
insert into invoice (tenant, period, number, currency, total, exact, document, closed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: document
select document from invoice where number = $1
