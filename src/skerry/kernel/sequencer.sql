-- name: lock
select pg_try_advisory_xact_lock(3158064718)

-- name: sequence
-- Positions for the next changes whose transactions have all ended: below the snapshot's xmin
-- nothing can appear any more, so what lies behind the cursor is complete for ever.
with start as (
  select coalesce((select max(position) + 1 from feed), 0) as position
), batch as (
  select c.xid, c.version, c.id, row_number() over (order by c.xid, c.version, c.id) as number
  from change c
  where (c.xid, c.version, c.id) > (select s.xid, s.version, s.id from sequencer s)
    and c.xid < pg_snapshot_xmin(pg_current_snapshot())
  order by c.xid, c.version, c.id
  limit $1
), fed as (
  insert into feed (position, change_id)
  select start.position + batch.number - 1, batch.id from batch, start
), moved as (
  update sequencer s set xid = last.xid, version = last.version, id = last.id
  from (select * from batch order by number desc limit 1) last
)
select count(*) from batch

-- name: ahead
-- Transaction ids that this cluster has not reached: the database was loaded from a dump, and ids
-- began again.
select greatest(s.xid, (select c.xid from change c order by c.xid desc limit 1))
  >= pg_snapshot_xmax(pg_current_snapshot())
from sequencer s

-- name: rebase_changes
-- After such a load: what has its position lies behind the cursor, the rest is as if written now.
update change c
set xid = case
  when exists (select from feed f where f.change_id = c.id) then '0' else pg_current_xact_id()
end

-- name: rebase_cursor
update sequencer set xid = '1'

-- name: waiting
-- Age in seconds of the oldest change without a position; null where there is none.
select extract(epoch from skerry_now() - min(c.at))::float8
from change c
where (c.xid, c.version, c.id) > (select s.xid, s.version, s.id from sequencer s)
