-- name: leaves
-- The leaves from a position on, oldest first.
select f.position, c.leaf
from feed f join change c on c.id = f.change_id
where f.position >= $1
order by f.position
limit $2

-- name: feed_size
select coalesce(max(position) + 1, 0) from feed

-- name: latest_checkpoint
select size, root, note, at from checkpoint order by size desc limit 1

-- name: lock_checkpoints
lock table checkpoint in share row exclusive mode

-- name: insert_checkpoint
insert into checkpoint (size, root, note, at) values ($1, $2, $3, skerry_now()) returning at

-- name: statements
-- What a receipt says of each change, and where in the log it stands.
select c.id, f.position, c.subject, c.tenant, c.actor, c.body, c.salt, c.leaf
from change c left join feed f on f.change_id = c.id
where c.id = any($1::uuid[])
