-- name: follow
-- What changed since a horizon, and the next horizon. Rows of the own, uncommitted transaction are
-- told apart.
with now as (select pg_snapshot_xmin(pg_current_snapshot()) as horizon)
select n.horizon::text as horizon, o.id, o.version, o.retired,
  o.xid = coalesce(pg_current_xact_id_if_assigned(), '0'::xid8) as mine,
  s.used, s.digest, t.body
from now n
left join offer o on o.xid >= $1::text::xid8
left join offer_state s on s.offer = o.id and s.version = o.version
left join offer_terms t on t.digest = s.terms

-- name: lock
-- Only the row: a join would be checked again with the state that was current before the wait.
select from offer where id = $1 for update

-- name: lock_all
-- In one order, whoever asks.
select from offer where id = any($1::text[]) order by id collate "C" for update

-- name: read
select o.id, o.version, o.retired, s.terms, s.used, s.digest, t.body
from offer o
join offer_state s on s.offer = o.id and s.version = o.version
join offer_terms t on t.digest = s.terms
where o.id = any($1::text[])

-- name: keep_terms
insert into offer_terms (digest, body) values ($1, $2) on conflict do nothing

-- name: add
-- An offer in its first state.
with stated as (
  insert into offer_state (offer, version, terms, used, digest, at) values ($1, $2, $3, $4, $5, $6)
)
insert into offer (id, version) values ($1, $2)

-- name: advance
-- The offer's next state.
with stated as (
  insert into offer_state (offer, version, terms, used, digest, at) values ($1, $2, $3, $4, $5, $6)
)
update offer set version = $2, retired = $7, xid = pg_current_xact_id() where id = $1

-- name: keep_snapshot
insert into offer_snapshot (digest, members, at) values ($1, $2, $3) on conflict do nothing

-- name: snapshot
select members from offer_snapshot where digest = $1

-- name: states
-- Those states, in no order.
select s.offer, s.version, s.used, s.digest, t.body
from unnest($1::text[], $2::bigint[]) as wanted (offer, version)
join offer_state s on s.offer = wanted.offer and s.version = wanted.version
join offer_terms t on t.digest = s.terms

-- name: digests
select s.offer, s.version, encode(s.digest, 'hex') as digest
from unnest($1::text[], $2::bigint[]) as wanted (offer, version)
join offer_state s on s.offer = wanted.offer and s.version = wanted.version
