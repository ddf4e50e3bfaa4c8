-- name: lock
select pg_advisory_xact_lock(hashtextextended('gateway key ' || $1, 0))

-- name: get
select sealed, public from gateway_key where name = $1

-- name: put
insert into gateway_key (name, sealed, public) values ($1, $2, $3)
on conflict (name) do update set sealed = excluded.sealed, public = excluded.public
