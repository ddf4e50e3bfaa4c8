-- name: bearer
select subject_uid, scopes from token where id = $1

-- name: keep
insert into gateway_pass (digest, once, route, subject, scopes, expires_at)
values ($1, $2, $3, $4, $5, $6)

-- name: crowd
-- Make room for one more.
delete from gateway_pass where digest in (
  select digest from gateway_pass where route = $1 and subject = $2
  order by expires_at desc offset $3 - 1)

-- name: use
delete from gateway_pass where digest = $1 and route = $2 and once and expires_at > skerry_now()
returning subject, scopes

-- name: session
select subject, scopes, expires_at from gateway_pass
where digest = $1 and route = $2 and not once and expires_at > skerry_now()

-- name: drop
delete from gateway_pass where digest = $1

-- name: sweep
delete from gateway_pass where expires_at < skerry_now()
