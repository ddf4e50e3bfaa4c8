-- name: routes_after
select uid, ref, tenant, workspace, version, spec, status, owner_uid
from resource where kind = 'route' and deleted_at is null and uid > $1 order by uid limit 1000
