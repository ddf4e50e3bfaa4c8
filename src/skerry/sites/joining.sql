-- name: insert_join_token
insert into join_token (id, site, host, digest, made_at, expires_at)
values ($1, $2, $3, $4, skerry_now(), skerry_now() + $5::interval)
returning expires_at

-- name: join_token
select * from join_token where id = $1

-- name: join_token_by_digest
select *, expires_at <= skerry_now() as expired from join_token where digest = $1 for update

-- name: use_join_token
update join_token set used_at = coalesce(used_at, skerry_now()), used_for = $2, used_key = $3
where id = $1

-- name: revoke_join_tokens
update join_token set revoked_at = skerry_now()
where site = $1 and used_at is null and revoked_at is null
returning id

-- name: insert_certificate
insert into host_certificate (serial, host, made_at, expires_at)
values ($1, $2, skerry_now(), $3)

-- name: certificate
select * from host_certificate where serial = $1

-- name: has_certificate
select exists (select 1 from host_certificate where host = $1 and revoked_at is null)

-- name: holder
-- Whose certificate it is, unless that was revoked or the host was removed.
select p.at, p.uid from host_certificate c join place p on p.uid = c.host
where c.serial = $1 and c.revoked_at is null

-- name: still_good
select c.serial from host_certificate c join place p on p.uid = c.host
where c.serial = any($1::text[]) and c.revoked_at is null and c.expires_at > now()

-- name: newest_certificates
select host, max(expires_at) as expires_at from host_certificate
where host = any($1::uuid[]) and revoked_at is null group by host

-- name: revoke_certificates
update host_certificate set revoked_at = skerry_now()
where host = $1 and revoked_at is null
returning serial

-- name: running_at
-- What is at a place and not over, by the resource that it is of.
select w.owner, r.ref, count(*) as workloads from workload w
left join resource r on r.uid = w.owner
where w.at = $1 and w.gone_at is null and w.given_up_at is null
  and (w.status is null or exists (
    select 1 from json_array_elements(w.status->'tasks') t
    where t->>'phase' in ('pending', 'running')))
group by w.owner, r.ref order by r.ref limit $2

-- name: running_at_each
-- The same of several places, at most $2 of each.
select p.at, w.owner, w.ref, w.workloads from unnest($1::text[]) as p (at)
cross join lateral (
  select w.owner, r.ref, count(*) as workloads from workload w
  left join resource r on r.uid = w.owner
  where w.at = p.at and w.gone_at is null and w.given_up_at is null
    and (w.status is null or exists (
      select 1 from json_array_elements(w.status->'tasks') t
      where t->>'phase' in ('pending', 'running')))
  group by w.owner, r.ref order by r.ref limit $2
) w
order by p.at, w.ref

-- name: kept_at
-- What a place keeps of things, over or not, by the resource.
select w.owner, r.ref, count(*) as workloads from workload w
left join resource r on r.uid = w.owner
where w.at = $1 and w.gone_at is null and w.given_up_at is null and w.seen_at is not null
group by w.owner, r.ref order by r.ref limit $2

-- name: lose_workloads
update workload set gone_at = skerry_now(), seen_at = skerry_now()
where at = $1 and gone_at is null
returning id, owner
