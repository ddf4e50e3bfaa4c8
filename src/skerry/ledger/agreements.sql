-- name: all
select name, spec from resource
where kind = 'agreement' and tenant = $1 and deleted_at is null
order by name
