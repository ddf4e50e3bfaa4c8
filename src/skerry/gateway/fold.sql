-- name: note
insert into gateway_usage (piece, route, starts_at, ends_at, requests, received, sent)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning route

-- name: route
select 1 from resource where uid = $1 and kind = 'route'

-- name: meters
select meter from stream where lease = $1

-- name: settled_until
select max(u.starts_at) from usage u join stream s on s.id = u.stream where s.lease = $1

-- name: over
select h.lease from hold h join resource r on r.uid = h.resource_uid
where h.product = 'gateway' and h.state = 'open' and r.kind = 'route'
  and r.deleted_at < skerry_now() - interval '5 minutes' limit 100

-- name: sweep
delete from gateway_usage where ends_at < skerry_now() - interval '90 days'
