-- name: next_id
select nextval('batch_id')

-- name: write
-- A batch: its transfers ($6 and on), what they add to the accounts ($15 and on), and its change.
with entered as (
  insert into transfer (id, batch, at, verb, debit, credit, amount, pending, expires_at, code,
    subject)
  select t.id, $1, $2, t.verb, t.debit, t.credit, t.amount, t.pending, t.expires_at, t.code,
    t.subject
  from unnest($6::uuid[], $7::text[], $8::uuid[], $9::uuid[], $10::bigint[], $11::uuid[],
    $12::timestamptz[], $13::text[], $14::text[])
    as t (id, verb, debit, credit, amount, pending, expires_at, code, subject)
), counted as (
  update account a set
    debits_pending = a.debits_pending + d.debits_pending,
    debits_posted = a.debits_posted + d.debits_posted,
    credits_pending = a.credits_pending + d.credits_pending,
    credits_posted = a.credits_posted + d.credits_posted
  from unnest($15::uuid[], $16::numeric[], $17::numeric[], $18::numeric[], $19::numeric[])
    as d (id, debits_pending, debits_posted, credits_pending, credits_posted)
  where a.id = d.id
), told as (
  insert into change (id, at, kind, subject, verb, tenant, workspace, actor, version, body, salt,
    leaf, address)
  values ($20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
)
insert into batch (id, at, size, root, hashes, change_id) values ($1, $2, $3, $4, $5, $20)

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
