-- name: use_blobs
-- Which of these the workspace has; a use keeps them from collection.
update workspace_blob set used_at = skerry_now()
where tenant = $1 and workspace = $2 and digest = any($3::text[])
returning digest

-- name: phase
select status ->> 'phase' from resource where uid = $1 and deleted_at is null
