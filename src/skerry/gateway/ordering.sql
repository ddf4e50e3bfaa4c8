-- name: want
insert into gateway_certificate (host, source, renew_at)
select host, 'acme', skerry_now() from unnest($1::text[]) host
on conflict (host) do nothing

-- name: known
select host, not_after from gateway_certificate
where host = any($1) and source = 'acme' and not_after is not null

-- name: get
select chain, sealed_key, not_after from gateway_certificate where host = $1

-- name: claim
update gateway_certificate set busy = $2, busy_until = skerry_now() + make_interval(secs => $3)
where host = (
  select host from gateway_certificate
  where host = any($1) and source = 'acme' and renew_at <= skerry_now()
    and (busy_until is null or busy_until < skerry_now())
  order by not_after nulls first, renew_at limit 1 for update skip locked)
returning host, tries

-- name: done
update gateway_certificate set chain = $3, sealed_key = $4, not_after = $5, renew_at = $6,
  tries = 0, problem = '', busy = null, busy_until = null
where host = $1 and busy = $2

-- name: failed
update gateway_certificate set tries = tries + 1, problem = $3,
  renew_at = skerry_now() + make_interval(secs => $4), busy = null, busy_until = null
where host = $1 and busy = $2

-- name: put_challenge
insert into gateway_challenge (token, answer, expires_at)
values ($1, $2, skerry_now() + make_interval(secs => $3)) on conflict do nothing

-- name: challenge
select answer from gateway_challenge where token = $1 and expires_at > skerry_now()

-- name: challenges_by_tls
select substr(token, 5) as host, answer from gateway_challenge
where starts_with(token, 'tls ') and expires_at > skerry_now()

-- name: drop_challenges
delete from gateway_challenge where token = any($1)

-- name: sweep_challenges
delete from gateway_challenge where expires_at < skerry_now()
