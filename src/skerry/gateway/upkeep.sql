-- name: forget
delete from gateway_certificate where source in ('file', 'authority')

-- name: forget_file
delete from gateway_certificate where source = 'file'

-- name: record
insert into gateway_certificate (host, source, not_after, renew_at) values ($1, $2, $3, $3)
on conflict (host) do update set source = excluded.source, not_after = excluded.not_after,
  tries = 0, problem = ''

-- name: ending
-- Of names that routes still have.
select c.host, c.not_after, c.problem from gateway_certificate c
join gateway_host h on h.host = c.host
where c.source = 'acme' and c.not_after < skerry_now() + $1::interval
limit 100

-- name: moot
-- Alerts of names that no route has any more.
select subject from alert
where reason in ('certificate-not-renewed', 'certificate-not-given') and cleared_at is null
  and not exists (select from gateway_host where 'certificate ' || host = subject)

-- name: forget_moot
-- Certificates of such names, with their keys.
delete from gateway_certificate c
where c.source = 'acme' and not exists (select from gateway_host h where h.host = c.host)

-- name: open_ports
select subject from alert where starts_with(subject, $1) and reason = 'port-not-open'
  and cleared_at is null

-- name: stuck
select exists (select from alert where subject = $1 and cleared_at is null)
