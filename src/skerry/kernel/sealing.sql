-- name: data_key
select key_id, wrapped from data_key where tenant = $1

-- name: insert_data_key
-- Two at once: the second waits for the first and takes its key.
insert into data_key (tenant, key_id, wrapped) values ($1, $2, $3)
on conflict (tenant) do update set tenant = excluded.tenant
returning key_id, wrapped

-- name: lock_data_keys
select tenant, key_id, wrapped from data_key for update

-- name: rewrap_data_key
update data_key set key_id = $2, wrapped = $3 where tenant = $1

-- name: put_sealed
insert into sealed (uid, field, ciphertext) values ($1, $2, $3)
on conflict (uid, field) do update set ciphertext = excluded.ciphertext

-- name: get_sealed
select uid, ciphertext from sealed where uid = any($1::uuid[]) and field = $2

-- name: drop_sealed
delete from sealed where uid = $1
