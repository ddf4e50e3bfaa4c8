-- name: insert_change
insert into change (id, at, kind, subject, verb, tenant, workspace, actor, version, body, salt, leaf,
  address)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: events_after
-- The feed after a position, oldest first.
select f.position, c.kind, c.subject, c.verb, c.tenant, c.workspace, c.version, c.body
from feed f join change c on c.id = f.change_id
where f.position > $1 order by f.position limit $2

-- name: feed_bounds
select coalesce(min(position), 0) as first, coalesce(max(position), -1) as last from feed
