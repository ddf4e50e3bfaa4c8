-- name: workspace_has_blob
select true from workspace_blob where tenant = $1 and workspace = $2 and digest = $3

-- name: keep_blob
-- The newest use keeps it from collection.
insert into workspace_blob (tenant, workspace, digest, used_at) values ($1, $2, $3, skerry_now())
on conflict (tenant, workspace, digest) do update set used_at = excluded.used_at
