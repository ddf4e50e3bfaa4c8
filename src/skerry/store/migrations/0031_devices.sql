-- Usage of GPUs names the devices, and each device has series of its own.

alter table stream add column devices text[] not null default '{}';

create or replace view usage_record as
select u.stream, h.lease, h.tenant, h.workspace, h.product, h.resource, h.resource_uid as uid,
  h.root_uid as root, s.meter, s.sku, s.source as site, s.region, u.starts_at as start,
  u.ends_at as "end", u.quantity, s.price, s.per, s.price_version, u.amount, u.unbilled,
  h.currency, u.period, u.batch, s.devices
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease;

-- The text of a usage record that its batch's Merkle root covers: canonical JSON, the same as
-- records.usage_text writes from these rows. Where no devices are named its form is as it was.
create or replace function usage_text(u usage, s stream, h hold) returns text language sql stable as $$
  select concat(
    '{"amount":', u.amount,
    ',"currency":', to_json(h.currency),
    case when s.devices <> '{}' then ',"devices":' || array_to_json(s.devices) end,
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
    '}')
$$;

alter table subject drop constraint subject_sort_check;
alter table subject add constraint subject_sort_check
  check (sort in ('task', 'host', 'route', 'gpu'));
