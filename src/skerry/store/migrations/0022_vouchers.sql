-- Vouchers: codes worth money, redeemed once. Only a code's hash is kept.
create table voucher (
  name text primary key,  -- of the resource that tells of it
  digest bytea not null unique,
  amount bigint not null check (amount > 0),
  currency text not null,
  source text not null check (source in ('sold', 'gift')),
  expires_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'redeemed', 'expired')),
  tenant text,
  ended_at timestamptz,
  check ((state = 'open') = (ended_at is null)),
  check ((state = 'redeemed') = (tenant is not null))
);
create index voucher_open on voucher (expires_at) where state = 'open';

-- Times in which a tenant's money was gone: what it keeps is kept at least until then.
create table shortage (
  tenant text not null,
  since timestamptz not null,
  keep_until timestamptz not null,
  kept_hourly bigint not null,  -- what its data cost an hour when the money ended
  needed bigint not null,       -- and all that ran: with so much money it has some again
  told_over boolean not null default false,
  ended_at timestamptz,
  primary key (tenant, since)
);
create unique index shortage_open on shortage (tenant) where ended_at is null;
