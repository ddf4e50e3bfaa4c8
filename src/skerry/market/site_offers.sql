-- name: of_place
-- The offers made for a place.
select uid from resource
where kind = 'offer' and tenant = '' and deleted_at is null and annotations ->> $1 = $2
order by name for update
