-- name: next_id
select nextval('batch_id')

-- name: add
insert into batch (id, at, size, root, hashes, change_id) values ($1, $2, $3, $4, $5, $6)

-- name: hashes_of
select hashes from batch where id = $1

-- name: transfers_of
select id, verb, debit, credit, amount, pending, expires_at, code, subject
from transfer where batch = $1 order by id

-- name: usage_of_batch
select * from usage_record where batch = $1 order by stream, start

-- name: usage_of_lease
select * from usage_record where lease = $1 order by stream, start

-- name: usage_hashes
-- The leaf hashes of a batch's usage, one after the other, in its order.
select string_agg(hash, '' order by stream, starts_at) from (
  select sha256('\x00'::bytea || convert_to(usage_text(u, s, h), 'UTF8')) as hash, u.stream,
    u.starts_at
  from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
  where u.batch = $1
) hashed

-- name: transfers_of_subject
select id, batch, verb, debit, credit, amount, pending, expires_at, code, subject
from transfer where subject = $1 order by id

-- name: batches
select id, hashes, change_id from batch where id = any($1::bigint[]) order by id
