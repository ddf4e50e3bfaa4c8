-- name: of_site
-- The offers made for a site.
select uid from resource
where kind = 'offer' and tenant = '' and deleted_at is null and annotations ->> $1 = $2
order by name for update
