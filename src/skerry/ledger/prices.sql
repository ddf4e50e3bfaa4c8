-- name: lock_lists
lock table price_list in share row exclusive mode

-- name: lists
select version, effective_at, currency, source from price_list order by version

-- name: list_at
select source from price_list where effective_at <= $1 order by version desc limit 1

-- name: list_source
select source from price_list where version = $1

-- name: add_list
insert into price_list (version, effective_at, currency, source, loaded_at)
values ($1, $2, $3, $4, $5)
