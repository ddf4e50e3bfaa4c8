-- name: of_site
select * from resource
where kind = 'maintenance' and parent_ref = $1 and deleted_at is null and state <> 'deleting'
  and status ->> 'phase' = any($2::text[])

-- name: hosts
select * from resource
where kind = 'host' and parent_ref = $1 and deleted_at is null order by name

-- name: owners
-- Whose work is there, and of which tenant.
select distinct w.owner, w.tenant, r.ref from workload w join resource r on r.uid = w.owner
where w.at = any($1::text[]) and w.gone_at is null and w.given_up_at is null
  and r.deleted_at is null
  and (w.status is null or exists (
    select from json_array_elements(w.status -> 'tasks') t
    where t ->> 'phase' in ('pending', 'running')
  ))
order by w.tenant, r.ref
