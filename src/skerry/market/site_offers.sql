-- name: of_place
-- The offers made for a place.
select * from resource
where kind = 'offer' and tenant = '' and deleted_at is null and annotations ->> $1 = $2
order by name for update

-- name: leased_at
-- What leases a place now, as the decisions that placed it name it.
select distinct d.subject from lease l
join decision d on d.id = l.decision
join resource o on o.kind = 'offer' and o.name = l.offer and o.deleted_at is null
where l.state <> 'closed' and o.annotations ->> $1 = $2
order by d.subject limit $3
