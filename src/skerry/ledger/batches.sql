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
-- The same text as records.usage_text writes, hashed as an RFC 6962 leaf.
select sha256('\x00'::bytea || convert_to(concat(
  '{"amount":', u.amount,
  ',"currency":', to_json(h.currency),
  ',"end":"', to_char(u.ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  '","lease":"', h.lease,
  '","meter":', to_json(s.meter),
  ',"per":', s.per,
  ',"period":"', to_char(u.period, 'YYYY-MM'),
  '","price":', s.price,
  ',"priceVersion":', s.price_version,
  ',"product":', to_json(h.product),
  ',"quantity":', u.quantity,
  ',"region":', to_json(s.region),
  ',"resource":', to_json(h.resource),
  ',"root":"', h.root_uid,
  '","site":', to_json(s.source),
  ',"sku":', to_json(s.sku),
  ',"start":"', to_char(u.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  '","stream":"', u.stream,
  '","tenant":', to_json(h.tenant),
  ',"type":"usage","uid":"', h.resource_uid,
  '","unbilled":', u.unbilled,
  ',"workspace":', to_json(h.workspace),
  '}'), 'UTF8')) as hash
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
where u.batch = $1
order by u.stream, u.starts_at
