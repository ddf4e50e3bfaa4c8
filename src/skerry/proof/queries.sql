-- name: leaves
-- The leaves from a position on, oldest first; null for a change that is gone. One look-up for each,
-- or a plan for so many at once reads all changes there are.
select f.position, (select c.leaf from change c where c.id = f.change_id) as leaf
from feed f
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

-- name: widths
-- The widths that the partial tile of a number had at checkpoints; the level as a shift of bits.
select distinct ((size >> $1) & 255)::int
from checkpoint
where size >> ($1 + 8) = $2 and (size >> $1) & 255 > 0

-- name: statements
-- What a receipt says of each change, and where in the log it stands.
select c.id, f.position, c.subject, c.tenant, c.workspace, c.actor, c.body, c.salt, c.leaf
from change c left join feed f on f.change_id = c.id
where c.id = any($1::uuid[])

-- name: audit_page
-- The feed with its changes; a change that is gone leaves its columns null.
select f.position, f.change_id, c.*
from feed f left join change c on c.id = f.change_id
where f.position >= $1 and f.position < $2
order by f.position

-- name: checkpoints
select size, root, note from checkpoint where size > $1 and size <= $2 order by size limit 1000

-- name: unplaced
-- Changes that the sequencer passed, yet without a position.
select c.id, c.kind, c.subject
from change c
where (c.xid, c.version, c.id) <= (select s.xid, s.version, s.id from sequencer s)
  and not exists (select from feed f where f.change_id = c.id)
order by c.xid, c.id
limit 100

-- name: subjects
select distinct subject from change where kind = $1 and subject > $2 order by subject limit 500

-- name: latest_of
-- The last change of each subject. A name used again begins a new life with versions from one, so
-- the newest life (by the uid in its body) is taken first, then the highest version in it.
select distinct on (subject) id, subject, verb, body
from (
  select id, subject, verb, body, version,
    max(at) over (partition by subject, substring(body from '"uid":"([^"]*)"')) as alive
  from change
  where kind = $1 and subject = any($2::text[])
) c
order by subject, alive desc, version desc

-- name: unrecorded
-- Resources that no change tells of.
select r.kind, r.ref
from resource r
where not exists (select from change c where c.kind = r.kind and c.subject = r.ref)
order by r.kind, r.ref
limit 100

-- name: uncovered
-- Whether anything of the period is not among the first $5 of the log: what the sequencer has not
-- passed yet, and what it has passed since. Both are the tails of their tables.
select exists (
  select from sequencer s, change c
  where (c.xid, c.version, c.id) > (s.xid, s.version, s.id)
    and (c.tenant = $1 or c.kind = any($2::text[])) and c.at >= $3 and c.at < $4
) or exists (
  select from feed f join change c on c.id = f.change_id
  where f.position >= $5
    and (c.tenant = $1 or c.kind = any($2::text[])) and c.at >= $3 and c.at < $4
)

-- name: period_page
-- The changes of a tenant, and those that concern every tenant, oldest first.
select c.id, c.kind, c.verb, c.version, c.at, f.position, c.subject, c.tenant, c.workspace,
  c.actor, c.body, c.salt, c.leaf
from change c join feed f on f.change_id = c.id
where (c.tenant = $1 or c.kind = any($2::text[])) and c.at < $5
  and c.at >= $3 and (c.at, f.position) > ($3, $4::bigint)
order by c.at, f.position
limit $6

-- name: versions_of
-- Certain versions of one life of a resource.
select c.id, c.kind, c.verb, c.version, c.at, f.position, c.subject, c.tenant, c.workspace,
  c.actor, c.body, c.salt, c.leaf
from change c join feed f on f.change_id = c.id
where c.kind = $1 and c.subject = $2 and c.version = any($3::bigint[])
  and c.body::jsonb ->> 'uid' = $4
order by c.version

-- name: newest_cosigned
select c.size, c.root, c.note, c.at
from checkpoint c
where c.size = (select max(size) from cosignature) and c.size >= $1

-- name: cosignatures
select string_agg(line, '' order by witness) from cosignature where size = $1

-- name: cosigned_by
-- How far each of these witnesses has followed.
select distinct on (witness) witness, size, at from cosignature where witness = any($1::uuid[])
order by witness, size desc

-- name: insert_cosignature
insert into cosignature (witness, size, line, at) values ($1, $2, $3, skerry_now())
on conflict (witness, size) do update set line = excluded.line, at = excluded.at

-- name: drop_cosignatures
-- Receipts hold those they were given; here the newest of each witness are enough.
delete from cosignature
where witness = $1 and size < (
  select size from cosignature where witness = $1 order by size desc offset 100 limit 1
)

-- name: witnesses
select uid, name, spec from resource where kind = 'witness' and deleted_at is null order by name

-- name: witnessed_logs
select name, spec from resource where kind = 'witnessed-log' and deleted_at is null order by name

-- name: know_log
insert into witnessed (origin, size, root, note, at) values ($1, 0, $2, '', skerry_now())
on conflict (origin) do nothing

-- name: lock_witnessed
select size, root from witnessed where origin = $1 for update

-- name: set_witnessed
update witnessed set size = $2, root = $3, note = $4, at = skerry_now() where origin = $1

-- name: witnessed_of
select origin, size, note, at from witnessed where origin = any($1::text[])
