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
select u.stream, h.lease, h.tenant, h.workspace, h.product, h.resource, h.resource_uid as uid,
  h.root_uid as root, s.meter, s.sku, s.source as site, s.region, u.starts_at as start,
  u.ends_at as "end", u.quantity, s.price, s.per, s.price_version, u.amount, u.unbilled, h.currency,
  u.period
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
where u.batch = $1
order by u.stream, u.starts_at

-- name: usage_of_lease
select u.stream, h.lease, h.tenant, h.workspace, h.product, h.resource, h.resource_uid as uid,
  h.root_uid as root, s.meter, s.sku, s.source as site, s.region, u.starts_at as start,
  u.ends_at as "end", u.quantity, s.price, s.per, s.price_version, u.amount, u.unbilled, h.currency,
  u.period, u.batch
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
where s.lease = $1
order by u.stream, u.starts_at

-- name: usage_hashes
select sha256('\x00'::bytea || convert_to(usage_text(u, s, h), 'UTF8')) as hash
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
where u.batch = $1
order by u.stream, u.starts_at

-- name: transfers_of_subject
select id, batch, verb, debit, credit, amount, pending, expires_at, code, subject
from transfer where subject = $1 order by id

-- name: batches
select id, hashes, change_id from batch where id = any($1::bigint[]) order by id
