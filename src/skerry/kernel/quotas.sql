-- name: take
-- The upsert locks the row until commit, so places are given out one after another.
insert into quota_use as u (tenant, kind, used) values ($1, $2, 1)
on conflict (tenant, kind) do update set used = u.used + 1
returning used,
  coalesce((select most from quota q where q.tenant = $1 and q.kind = $2), $3::bigint) as most

-- name: give_back
update quota_use set used = used - 1 where tenant = $1 and kind = $2

-- name: allow
insert into quota (tenant, kind, most) values ($1, $2, $3)
on conflict (tenant, kind) do update set most = excluded.most

-- name: usage
select coalesce(u.kind, q.kind) as kind, coalesce(u.used, 0) as used, q.most
from (select kind, used from quota_use where tenant = $1) u
full join (select kind, most from quota where tenant = $1) q on q.kind = u.kind

-- name: default
delete from quota where tenant = $1 and kind = $2
