-- name: leases_below
-- The leases of a resource and of all that it owns, oldest first; the ref is missing while a
-- reservation was never confirmed.
select l.id, l.decision, s.ref
from lease l
join resource o on o.uid = l.owner
left join resource s on s.kind = 'lease' and s.name = l.id::text and s.tenant = l.tenant
where o.root_uid = $1 or o.uid = $1
order by l.made_at

-- name: last_changes
select distinct on (subject) id, subject from change
where kind = $1 and subject = any($2::text[])
order by subject, version desc, at desc
