-- name: begin
-- With what the tenant's data (what is sold by the month) costs an hour while it is kept.
insert into shortage (tenant, since, keep_until, kept_hourly, needed)
select $1, $2, $3,
  coalesce(sum(s.price * s.rate * 3600 / s.per) filter (where s.meter like '%-gib-month'), 0)
    ::bigint,
  coalesce(sum(s.price * s.rate * 3600 / s.per), 0)::bigint
from stream s join hold h on h.lease = s.lease
where h.tenant = $1 and h.state = 'open' and not s.closed and s.rate is not null
on conflict do nothing
returning kept_hourly

-- name: open
select tenant, since, keep_until, needed, told_over from shortage
where ended_at is null order by tenant for update skip locked

-- name: end
update shortage set ended_at = $2 where tenant = $1 and ended_at is null

-- name: told
update shortage set told_over = true where tenant = $1 and ended_at is null

-- name: of
select since, keep_until, kept_hourly from shortage where tenant = $1 and ended_at is null

-- name: body
select tenant, since, keep_until, kept_hourly, ended_at from shortage
where tenant = $1 and since = $2
