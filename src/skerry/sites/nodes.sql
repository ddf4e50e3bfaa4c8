-- name: beat
-- Be seen; say where we are.
insert into node (id, name, roles, version, relay, door, fingerprint, started_at, seen_at)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp())
on conflict (id) do update set relay = $5, door = $6, fingerprint = $7, seen_at = clock_timestamp()

-- name: routes
-- Which other node has the contact with which place.
select c.at, n.id, n.relay from site_contact c join node n on n.id = c.watcher
where n.id <> $1 and n.relay <> '' and n.seen_at > clock_timestamp() - $2::interval
  and c.watcher_until > skerry_now()

-- name: doors
select door, fingerprint from node
where door <> '' and seen_at > clock_timestamp() - $1::interval order by started_at desc, id

-- name: leave
delete from node where id = $1

-- name: sweep
delete from node where seen_at < clock_timestamp() - interval '1 day'
