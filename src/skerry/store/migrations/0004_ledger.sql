-- Money. Every amount is an integer in 10^-9 of its currency; nothing here is a float.

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% rows are never changed or removed', tg_table_name
    using hint = 'Write a new row that corrects the old one.';
end $$;

-- Double entry. Counters are the sums of the transfers below, kept here to be checked and locked.
create table account (
  id uuid primary key,
  owner text not null,      -- a tenant; empty: the operator
  workspace text not null,  -- only where an account is kept per workspace
  code text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- debits: what is debited may exceed what was credited by at most the allowance; credits: the
  -- other way round.
  guard text not null check (guard in ('none', 'debits', 'credits')),
  allowance bigint not null check (allowance >= 0),
  debits_pending numeric(38) not null default 0 check (debits_pending >= 0),
  debits_posted numeric(38) not null default 0 check (debits_posted >= 0),
  credits_pending numeric(38) not null default 0 check (credits_pending >= 0),
  credits_posted numeric(38) not null default 0 check (credits_posted >= 0),
  unique (owner, workspace, code, currency)
) with (fillfactor = 50);

create sequence batch_id;

-- Transfers and usage that were written together: one leaf of the log stands for all of them.
create table batch (
  id bigint primary key,
  at timestamptz not null,
  size integer not null,
  root text not null,
  hashes bytea not null,  -- the records' leaf hashes, 32 bytes each, in the batch's order
  change_id uuid not null references change (id)
);
alter table batch alter column hashes set storage external;

create table transfer (
  id uuid primary key,
  batch bigint not null,
  at timestamptz not null,
  verb text not null check (verb in ('move', 'pending', 'post', 'void', 'expire')),
  debit uuid not null references account (id),
  credit uuid not null references account (id),
  amount bigint not null check (amount >= 0),
  pending uuid references transfer (id),
  expires_at timestamptz,
  code text not null,
  subject text not null,
  check (debit <> credit),
  check ((pending is not null) = (verb in ('post', 'void', 'expire'))),
  check (expires_at is null or verb = 'pending')
);
-- A pending transfer ends once: posted, voided or expired.
create unique index transfer_end on transfer (pending) where pending is not null;
create index transfer_batch on transfer (batch);
create index transfer_subject on transfer (subject);

-- On which terms a tenant may spend; the newest version holds.
create table terms (
  tenant text not null,
  version integer not null,
  mode text not null check (mode in ('prepaid', 'postpaid')),
  credit_limit bigint check (credit_limit >= 0),  -- null: none
  currency text not null,
  at timestamptz not null,
  primary key (tenant, version)
);

create table price_list (
  version integer primary key,
  effective_at timestamptz not null,
  currency text not null,
  source text not null,
  loaded_at timestamptz not null
);

-- What is put aside for a lease. `amount` is what was moved to its held account so far, less what
-- came back; what its streams have posted is drawn from it.
create table hold (
  lease uuid primary key,
  tenant text not null,
  workspace text not null,
  product text not null,
  resource text not null,
  resource_uid uuid not null,
  root_uid uuid not null,
  currency text not null,
  pending uuid not null references transfer (id),
  state text not null check (state in ('reserved', 'open', 'closed')),
  amount bigint not null check (amount >= 0),
  ceiling bigint,            -- the most it can ever cost; null: it runs until it is stopped
  horizon integer not null,  -- seconds of running that are kept covered
  expires_at timestamptz,    -- of the reservation; null once it runs
  closed_at timestamptz
) with (fillfactor = 70);
create index hold_open on hold (tenant, lease) where state = 'open';
create index hold_reserved on hold (expires_at) where state = 'reserved';
create index hold_tenant on hold (tenant, workspace);
create index hold_resource on hold (resource_uid);
create index hold_root on hold (root_uid);

-- Where streams run and how far it is known that they did. Time in a gap was not seen: it is free.
create table meter_source (
  name text primary key,
  seen_until timestamptz not null
);
create table meter_gap (
  source text not null references meter_source (name),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  check (ends_at > starts_at),
  primary key (source, starts_at)
);

-- One meter of one lease, running at a rate or counted by readings, at a price frozen at its start.
create table stream (
  id uuid primary key,
  lease uuid not null references hold (lease),
  meter text not null,
  sku text not null,
  source text not null references meter_source (name),
  region text not null,
  price bigint not null check (price >= 0),  -- of `per` base units of the meter
  per bigint not null check (per > 0),
  price_version integer not null,
  rate bigint check (rate >= 0),             -- base units a second; null: readings
  started_at timestamptz not null,
  ended_at timestamptz,
  settled_until timestamptz not null,
  billed_us bigint not null default 0,       -- microseconds billed so far
  quantity bigint not null default 0,        -- base units so far
  posted bigint not null default 0,          -- charged so far
  unbilled bigint not null default 0,        -- due, but the tenant's money had ended
  closed boolean not null default false
) with (fillfactor = 50);
create index stream_lease on stream (lease);
create index stream_running on stream (lease) where not closed;

-- The windows of a stream follow each other. One that ends before it starts takes back what was
-- charged beyond the stream's end, and only its figures are negative.
-- No foreign keys: a settlement writes hundreds of thousands of rows a minute, and the audit checks
-- what a key would.
create table usage (
  stream uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  quantity bigint not null,
  amount bigint not null,
  unbilled bigint not null,
  period date not null,  -- first day of the month whose invoice it stands on
  batch bigint not null,
  primary key (stream, starts_at)
);
create index usage_batch on usage (batch);

-- Usage with all that its stream and lease say of it.
create view usage_record as
select u.stream, h.lease, h.tenant, h.workspace, h.product, h.resource, h.resource_uid as uid,
  h.root_uid as root, s.meter, s.sku, s.source as site, s.region, u.starts_at as start,
  u.ends_at as "end", u.quantity, s.price, s.per, s.price_version, u.amount, u.unbilled,
  h.currency, u.period, u.batch
from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease;

-- The text of a usage record that its batch's Merkle root covers: canonical JSON, the same as
-- records.usage_text writes from these rows. Its form never changes.
create function usage_text(u usage, s stream, h hold) returns text language sql stable as $$
  select concat(
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
    '}')
$$;

-- What a workspace was charged per month: the sum of its usage, kept for budgets.
create table spending (
  tenant text not null,
  workspace text not null,
  currency text not null,
  period date not null,
  amount bigint not null default 0,
  primary key (tenant, workspace, currency, period)
) with (fillfactor = 50);

create table budget_alert (
  budget uuid not null,
  period date not null,
  threshold integer not null,
  at timestamptz not null,
  primary key (budget, period, threshold)
);

create table invoice (
  tenant text not null,
  period date not null,
  number text not null unique,
  currency text not null,
  total bigint not null,   -- whole cents, in 10^-9
  exact bigint not null,   -- the sum of its usage before rounding
  document text not null,  -- canonical JSON
  closed_at timestamptz not null,
  primary key (tenant, period)
);

create trigger batch_immutable before update or delete on batch
  for each row execute function refuse_change();
create trigger transfer_immutable before update or delete on transfer
  for each row execute function refuse_change();
create trigger terms_immutable before update or delete on terms
  for each row execute function refuse_change();
create trigger price_list_immutable before update or delete on price_list
  for each row execute function refuse_change();
create trigger usage_immutable before update or delete on usage
  for each row execute function refuse_change();
create trigger invoice_immutable before update or delete on invoice
  for each row execute function refuse_change();
create trigger batch_kept before truncate on batch execute function refuse_change();
create trigger transfer_kept before truncate on transfer execute function refuse_change();
create trigger usage_kept before truncate on usage execute function refuse_change();
create trigger invoice_kept before truncate on invoice execute function refuse_change();
