-- name: add
insert into hold (lease, tenant, workspace, product, resource, resource_uid, root_uid, currency,
  pending, state, amount, ceiling, horizon, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'reserved', $10, $11, $12, $13)

-- name: find
select h.lease, h.tenant, h.workspace, h.product, h.resource_uid, h.currency, h.pending, h.state,
  h.amount, h.ceiling, h.horizon, h.expires_at,
  coalesce((select sum(posted) from stream s where s.lease = h.lease), 0) as drawn
from hold h where h.lease = $1

-- name: drawn_of
-- What each of these leases has been charged.
select h.lease, coalesce((select sum(posted) from stream s where s.lease = h.lease), 0)::bigint
  as drawn
from hold h where h.lease = any($1::uuid[])

-- name: locked
-- For who needs not know what was drawn: a sum would be the one from before the wait.
select lease, tenant, workspace, product, resource_uid, currency, pending, state, amount, ceiling,
  horizon, expires_at, 0 as drawn
from hold where lease = $1 for no key update

-- name: lock
select 1 from hold where lease = $1 for no key update

-- name: open
update hold set state = 'open', expires_at = null where lease = $1

-- name: grow
update hold set amount = amount + $2 where lease = $1

-- name: close
update hold set state = 'closed', amount = case when state = 'reserved' then 0 else amount + $2 end,
  expires_at = null, closed_at = $3
where lease = $1

-- name: expired
select lease from hold where state = 'reserved' and expires_at <= $1 order by expires_at limit $2
