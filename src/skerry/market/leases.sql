-- name: add
insert into lease (id, decision, offer, owner, part, tenant, workspace, takes, state, made_at,
  expires_at, confirmed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: find
select l.*, d.body, d.subject from lease l join decision d on d.id = l.decision where l.id = $1

-- name: lock
select l.*, d.body, d.subject from lease l join decision d on d.id = l.decision where l.id = $1
for update of l

-- name: open_of
select l.*, d.body, d.subject from lease l join decision d on d.id = l.decision
where l.owner = $1 and l.part = $2 and l.state <> 'closed'

-- name: all_of
-- A resource's leases, newest first.
select l.*, d.body, d.subject from lease l join decision d on d.id = l.decision
where l.owner = $1 order by l.made_at desc, l.id limit $2

-- name: extend
update lease set expires_at = $2 where id = $1

-- name: confirm
update lease set state = 'active', confirmed_at = $2 where id = $1

-- name: drain
update lease set state = 'draining', drains_until = $2 where id = $1

-- name: close
update lease set state = 'closed', reason = $2, closed_at = $3 where id = $1

-- name: expired
-- Reservations whose time is over.
select id from lease where state = 'reserved' and expires_at <= skerry_now()
order by expires_at limit 1000
