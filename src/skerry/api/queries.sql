-- name: resources
select * from resource where uid = any($1::uuid[])

-- name: capacities
select at, capacity from site_contact

-- name: usage
select date_bin($4, start, timestamptz '2000-01-01 00:00+00') as at, workspace, product, meter,
  currency, per, sum(quantity)::bigint as quantity, sum(amount)::bigint as amount
from usage_record
where tenant = $1 and start >= $2 and start < $3 and ($5 = '' or workspace = $5)
group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5

-- name: happened
-- What has its place in the feed, newest first.
select f.position, c.at, c.kind, c.subject, c.verb, c.version, c.actor, c.body, c.address
from change c join feed f on f.change_id = c.id
where c.tenant = $1 and c.at >= $2 and (c.at, f.position) < ($3, $4::bigint)
  and ($5::text[] is null or c.kind = any($5)) and ($6 = '' or c.workspace = $6)
  and ($8 = '' or c.verb = $8) and ($9 = '' or c.actor = $9 or $9 = '@' and position('@' in c.actor) > 0)
  and ($10 = '' or position(lower($10) in lower(c.subject)) > 0)
order by c.at desc, f.position desc limit $7

-- name: at_position
-- One of a tenant, with all that its leaf hashes.
select f.position, c.at, c.kind, c.subject, c.verb, c.version, c.actor, c.body, c.tenant,
  c.workspace, c.salt, c.leaf, c.address
from change c join feed f on f.change_id = c.id
where f.position = $1 and c.tenant = $2

-- name: token_ends
select expires_at from token where id = $1
