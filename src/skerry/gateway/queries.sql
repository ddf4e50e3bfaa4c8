-- name: face
select scheme, base, port, reserved, tcp_first, tcp_last from gateway_face for share

-- name: set_face
insert into gateway_face (scheme, base, port, reserved, tcp_first, tcp_last)
values ($1, $2, $3, $4, $5, $6)
on conflict (single) do update set scheme = excluded.scheme, base = excluded.base,
  port = excluded.port, reserved = excluded.reserved, tcp_first = excluded.tcp_first,
  tcp_last = excluded.tcp_last

-- name: lock_face
select pg_advisory_xact_lock(hashtext('gateway face'))

-- name: routes_after
select uid from resource where kind = 'route' and deleted_at is null and uid > $1
order by uid limit 200

-- name: claim_host
-- Whose it is now.
with new as (
  insert into gateway_host (host, route, automatic) values ($1, $2, $3)
  on conflict (host) do nothing returning route
)
select route from new union all select route from gateway_host where host = $1 limit 1

-- name: release_hosts
delete from gateway_host where route = $1 and not host = any($2)

-- name: domain_of
-- The most telling of the domains that a name is or is below.
select name, tenant from resource
where kind = 'domain' and deleted_at is null and name = any($1)
order by length(name) desc limit 1

-- name: lock_domain
select pg_advisory_xact_lock(hashtextextended('gateway domain ' || $1, 0))

-- name: hosts_below
select h.host, r.name from gateway_host h join resource r on r.uid = h.route
where not h.automatic and r.tenant = $2 and (h.host = $1 or h.host like '%.' || $1) limit 1

-- name: claim_port
with new as (
  insert into gateway_port (port, route) values ($1, $2)
  on conflict do nothing returning route
)
select route from new union all select route from gateway_port where port = $1 limit 1

-- name: port_of
select port from gateway_port where route = $1

-- name: free_ports
select p from generate_series($1::int, $2::int) p
where not exists (select from gateway_port where port = p) order by p limit 8

-- name: release_port
delete from gateway_port where route = $1

-- name: drop_passes
delete from gateway_pass where route = $1

-- name: drop_seen
delete from route_seen where route = $1

-- name: tenants_of_workloads
select id, tenant from workload where id = any($1)

-- name: beat
insert into gateway (name, seen_at) values ($1, skerry_now())
on conflict (name) do update set seen_at = excluded.seen_at

-- name: begin
delete from route_seen where gateway = $1

-- name: forget_gateways
delete from gateway where seen_at < skerry_now() - interval '1 day'

-- name: forget_seen
delete from route_seen s where not exists (select from gateway g where g.name = s.gateway)

-- name: saw
insert into route_seen (gateway, route, version, draining, last_at)
select $1, s.route, s.version, array(select json_array_elements_text(s.draining)),
  skerry_now() - make_interval(secs => s.asked_ago)
from json_to_recordset($2) as s(route uuid, version bigint, draining json, asked_ago float8)
on conflict (gateway, route) do update set version = excluded.version,
  draining = excluded.draining, last_at = greatest(route_seen.last_at, excluded.last_at)

-- name: drained
-- Whether no live gateway is behind, or has requests of the workload.
select not exists (
  select from gateway g left join route_seen s on s.gateway = g.name and s.route = $1
  where g.seen_at > skerry_now() - make_interval(secs => $4)
    and (s.version is null or s.version < $2 or $3 = any(s.draining))
)

-- name: traffic_of
-- Of each route: its last request, and how many it had within a day.
select r.route, (select max(last_at) from route_seen s where s.route = r.route) as last_at,
  (select coalesce(sum(u.requests), 0)::bigint from gateway_usage u
    where u.route = r.route and u.starts_at > skerry_now() - interval '1 day') as requests
from unnest($1::uuid[]) as r (route)

-- name: certificates_of
select host, source, not_after, tries, problem from gateway_certificate where host = any($1)

-- name: has_tls
select exists (select from gateway_face where scheme = 'https')
