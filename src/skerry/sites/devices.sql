-- name: capacities
select at, capacity from site_contact where capacity is not null order by at

-- name: held
-- Devices that tasks have now, and whose they are.
select g.uuid, w.at, w.owner, w.tenant, w.started_at, coalesce(r.root_uid, r.uid) as root
from workload w
cross join lateral json_array_elements(w.status->'tasks') t
cross join lateral json_array_elements_text(coalesce(t->'gpus', '[]')) g (uuid)
join resource r on r.uid = w.owner
where w.ended_at is null and w.gone_at is null and t->>'phase' = 'running'

-- name: subjects
select * from subject where sort = 'gpu' and name = any($1::text[])

-- name: told
-- Open alerts about devices that idle.
select subject from alert where reason = 'GpuIdle' and cleared_at is null
