-- name: live
-- What streams have been charged and, at instant $4, still owe for time that was seen; what is held
-- for them; what they cost an hour from now on. Of a tenant, or one workspace, or one resource (by
-- its own uid or that of the resource it is billed under). With $5, apart by which of $3 it is of.
select x.root, coalesce(sum(x.posted), 0)::bigint as posted,
  coalesce(sum(div(x.price::numeric * div(x.rate::numeric * x.us, 1000000), x.per)
    - x.posted - x.unbilled), 0)::bigint as running,
  coalesce(sum(div(x.price::numeric * x.rate * 3600, x.per)) filter (where x.ended_at is null),
    0)::bigint as per_hour,
  coalesce(sum(x.posted) filter (where x.state = 'open'), 0)::bigint as drawn
from (
  select of.uid as root, s.price, s.per, s.rate, s.posted, s.unbilled, s.ended_at, h.state, s.billed_us
    + (extract(epoch from w.until - s.settled_until) * 1000000)::bigint
    - coalesce((select sum(extract(epoch from least(g.ends_at, w.until)
          - greatest(g.starts_at, s.settled_until)) * 1000000)
        from meter_gap g where g.source = s.source
          and g.starts_at < w.until and g.ends_at > s.settled_until), 0)::bigint as us
  from hold h join stream s on s.lease = h.lease join meter_source m on m.name = s.source
  cross join lateral (select greatest(s.settled_until,
    coalesce(s.ended_at, least($4::timestamptz, m.seen_until))) as until) w
  left join lateral (select distinct uid from unnest(array[h.resource_uid, h.root_uid]) as uid
    where $5 and uid = any($3)) of on true
  where h.tenant = $1 and ($2::text is null or h.workspace = $2)
    and ($3::uuid[] is null or h.resource_uid = any($3) or h.root_uid = any($3))
    and ($3 is not null or not s.closed)
) x
group by x.root

-- name: held
select coalesce(sum(h.amount), 0)::bigint as amount from hold h
where h.tenant = $1 and ($2::text is null or h.workspace = $2)
  and ($3::uuid is null or h.resource_uid = $3 or h.root_uid = $3)
  and h.state <> 'closed'

-- name: spent
select coalesce(sum(amount), 0)::bigint from spending
where tenant = $1 and ($2::text is null or workspace = $2) and period = $3
