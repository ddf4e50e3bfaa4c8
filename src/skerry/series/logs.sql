-- name: cursors
select workload, rank, next, begun from log_cursor where workload = any($1::text[])

-- name: new_cursors
insert into log_cursor (workload, rank, next, read_at)
select t.workload, t.rank, 0, skerry_now() from unnest($1::text[], $2::integer[]) as t (workload, rank)
on conflict (workload, rank) do nothing

-- name: move_cursors
-- Only from where the reader began: of two that read the same, one is right.
update log_cursor c set next = t.next, begun = t.begun, read_at = skerry_now()
from unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[])
  as t (workload, rank, before, had_begun, next, begun)
where c.workload = t.workload and c.rank = t.rank and c.next = t.before and c.begun = t.had_begun
returning c.workload, c.rank

-- name: owners
select uid, tenant, workspace from resource where uid = any($1::uuid[])

-- name: add_share
insert into log_share (tenant, workspace, day, bytes)
select * from unnest($1::text[], $2::text[], $3::date[], $4::bigint[])
on conflict (tenant, workspace, day) do update set bytes = log_share.bytes + excluded.bytes

-- name: keep_partitions
select keep_partitions('log_piece', interval '1 day', $1, $2)

-- name: impatient
set local lock_timeout = '1s'

-- name: oldest
select min(at) from log_piece

-- name: old_shares
delete from log_share where day < $1

-- name: old_cuts
delete from log_cut where until < $1

-- name: over_share
select tenant, workspace, sum(bytes)::bigint as bytes from log_share
group by tenant, workspace having sum(bytes) > $1

-- name: cut
-- The oldest pieces of a workspace, as many as make $3 bytes.
with oldest as (
  select at, id, sum(bytes) over (order by at, id) - bytes as before
  from log_piece where tenant = $1 and workspace = $2
)
delete from log_piece p using oldest o
where p.at = o.at and p.id = o.id and o.before < $3
returning (p.at at time zone 'UTC')::date as day, p.bytes, p.until

-- name: lower_share
update log_share set bytes = bytes - $4 where tenant = $1 and workspace = $2 and day = $3

-- name: note_cut
insert into log_cut (tenant, workspace, until, bytes) values ($1, $2, $3, $4)
on conflict (tenant, workspace)
do update set until = greatest(log_cut.until, excluded.until), bytes = log_cut.bytes + excluded.bytes

-- name: cut_of
select until, bytes from log_cut where tenant = $1 and workspace = $2

-- name: family
-- A resource by its name, those that had it before, and all that they own.
with recursive family as (
  select uid from resource
  where kind = $3 and tenant = $1 and workspace = $2 and name = $4
  union
  select r.uid from resource r join family f on r.owner_uid = f.uid
)
select uid from family

-- name: search
-- The newest pieces whose filters have all bits ($7) of the words. Those kept before there were
-- filters have marks of their words ($6) instead.
select at, id, owner, workload, rank, body from log_piece
where tenant = $1 and workspace = $2 and at >= $3 and at < $4
  and ($5::uuid[] is null or owner = any($5))
  and case when filter is null then marks @> $6::integer[]
    else not exists (
      select from unnest($7::integer[]) bit where get_bit(filter, bit % (octet_length(filter) * 8)) = 0
    ) end
  and ($8::timestamptz is null or (at, id) <= ($8, $9::bigint))
order by at desc, id desc limit $10
