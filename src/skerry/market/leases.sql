-- name: add
insert into lease (id, decision, offer, owner, part, tenant, workspace, takes, state, made_at,
  expires_at, confirmed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: find
select l.*, d.body, d.subject, array(
  select s.takes from lease_share s where s.lease = l.id order by s.position
) as further
from lease l join decision d on d.id = l.decision where l.id = $1

-- name: lock
select l.*, d.body, d.subject, array(
  select s.takes from lease_share s where s.lease = l.id order by s.position
) as further
from lease l join decision d on d.id = l.decision where l.id = $1
for update of l

-- name: open_of
select l.*, d.body, d.subject, array(
  select s.takes from lease_share s where s.lease = l.id order by s.position
) as further
from lease l join decision d on d.id = l.decision
where l.owner = $1 and l.part = $2 and l.state <> 'closed'

-- name: all_of
-- A resource's leases, newest first.
select l.*, d.body, d.subject, array(
  select s.takes from lease_share s where s.lease = l.id order by s.position
) as further
from lease l join decision d on d.id = l.decision
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

-- name: add_share
insert into lease_share (lease, position, offer, takes) values ($1, $2, $3, $4)

-- name: give_back_shares
update lease_share set given_back = true where lease = $1 and not given_back

-- name: forgotten
-- Closed by a server that knew of no shares.
select distinct s.lease as id from lease_share s join lease l on l.id = s.lease
where not s.given_back and l.state = 'closed' limit 100

-- name: forgotten_shares
select offer, takes from lease_share where lease = $1 and not given_back order by offer

-- name: taken_by
select id as lease, offer, takes from lease where id = any($1::uuid[])
union all
select lease, offer, takes from lease_share where lease = any($1::uuid[]) and not given_back
