-- name: listed
select * from alert
where (tenant = $1 or $1 = '')
  and (($2 and cleared_at is not null) or (not $2 and cleared_at is null))
order by raised_at desc, id limit 500

-- name: one
select * from alert where id = $1 and (tenant = $2 or $2 = '')

-- name: by_ref
select ref, uid from resource where ref = any($1::text[]) and deleted_at is null
