-- name: export_snapshot
select pg_export_snapshot()

-- name: about
select skerry_now() as at, (select max(number) from migration) as migration,
  (select count(*) from resource) as resources, (select count(*) from transfer) as transfers,
  (select count(*) from change) as changes,
  (select note from checkpoint order by size desc limit 1) as checkpoint

-- name: live
select distinct digest from workspace_blob

-- name: is_empty
select not exists (
  select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'S', 'f')
)

-- name: counts
select (select count(*) from resource) as resources, (select count(*) from transfer) as transfers,
  (select count(*) from change) as changes

-- name: drop_all
drop schema public cascade
