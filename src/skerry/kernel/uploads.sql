-- name: note
insert into workspace_blob (tenant, workspace, digest, used_at) values ($1, $2, $3, skerry_now())
on conflict (tenant, workspace, digest) do update set used_at = excluded.used_at

-- name: has
select true from workspace_blob where tenant = $1 and workspace = $2 and digest = $3

-- name: use
update workspace_blob set used_at = skerry_now()
where tenant = $1 and workspace = $2 and digest = any($3::text[])
returning digest

-- name: forget
-- What a resource of the workspace still names stays, however old.
delete from workspace_blob b where used_at < skerry_now() - $1::interval
  and not exists (
    select 1 from resource r
    where r.tenant = b.tenant and r.workspace = b.workspace and r.deleted_at is null
      and strpos(r.spec::text, b.digest) > 0
  )

-- name: live
select distinct digest from workspace_blob where digest > $1 order by digest limit 1000
