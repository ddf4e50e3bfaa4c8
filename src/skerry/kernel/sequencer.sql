-- name: lock
select pg_try_advisory_xact_lock(3158064718)

-- name: sequence
-- Positions for the next changes whose transactions have all ended: below the snapshot's xmin
-- nothing can appear any more, so no late commit is ever passed over. The cursor only bounds the
-- search; what makes a change new is that the feed has no row of it.
with start as (
  select s.xid, coalesce((select max(position) + 1 from feed), 0) as position from sequencer s
), batch as (
  select c.id, c.xid, c.version
  from change c
  where c.xid >= (select xid from start)
    and c.xid < pg_snapshot_xmin(pg_current_snapshot())
    and not exists (select from feed f where f.change_id = c.id)
  order by c.xid, c.version, c.id
  limit $1
), fed as (
  insert into feed (position, change_id)
  select start.position + row_number() over (order by b.xid, b.version, b.id) - 1, b.id
  from batch b, start
), moved as (
  update sequencer set xid = (select xid from batch order by xid desc limit 1)
  where exists (select from batch)
)
select count(*) from batch

-- name: ahead
-- Transaction ids that this cluster has not reached: the database was loaded from a dump, and ids
-- began again. Positions stay; what has none yet is taken as written now.
select greatest(s.xid, (select c.xid from change c order by c.xid desc limit 1))
  >= pg_snapshot_xmax(pg_current_snapshot())
from sequencer s

-- name: rebase_changes
update change c set xid = pg_current_xact_id()
where not exists (select from feed f where f.change_id = c.id)

-- name: rebase_cursor
update sequencer set xid = '0'

-- name: waiting
-- Age in seconds of the oldest change without a position; null where there is none.
select extract(epoch from skerry_now() - min(c.at))::float8
from change c
where c.xid >= (select xid from sequencer)
  and not exists (select from feed f where f.change_id = c.id)
