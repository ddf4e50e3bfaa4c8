-- name: add_use
insert into volume_use (workload, volume, read_only) values ($1, $2, $3)
on conflict (workload, volume) do nothing

-- name: holders
-- Runs that are not over, and what they are of. One that was given up holds nothing: should it be
-- there after all, its host says so.
select u.volume, u.read_only, r.kind, r.name, r.uid
from volume_use u
join workload w on w.id = u.workload
join resource r on r.uid = w.owner
where u.volume = any($1::uuid[]) and w.gone_at is null and w.given_up_at is null
  and (w.status is null or exists (
    select from json_array_elements(w.status -> 'tasks') t
    where t ->> 'phase' in ('pending', 'running')
  ))
order by r.kind, r.name

-- name: open_leases
select id from lease where owner = $1 and state <> 'closed' order by id
