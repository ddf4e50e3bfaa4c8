-- name: phase
select status ->> 'phase' from resource where uid = $1 and deleted_at is null
