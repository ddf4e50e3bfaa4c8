-- How machines join a site, and by what they are known afterwards.

-- Where hosts reach this cloud, while it takes them: what a new one has to be told.
create table host_door (
  one boolean primary key default true check (one),
  address text not null,     -- HOST:PORT
  fingerprint text not null, -- SHA-256 of the authority's certificate, in hex
  opened_at timestamptz not null
);

-- A machine proves once, by a token, that it may join; only its SHA-256 is here.
create table join_token (
  id uuid primary key,
  site text not null,
  host text not null default '',  -- the only name it is good for; empty: any that is free
  digest bytea not null unique,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_for uuid,             -- the host that it made
  used_key text,             -- the request it was used with: asking again with it is no second use
  revoked_at timestamptz
);

-- The certificates by which hosts are known.
create table host_certificate (
  serial text primary key,
  host uuid not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index host_certificate_good on host_certificate (host) where revoked_at is null;

-- How many seconds the place's clock was ahead of the database's when it was heard last.
alter table site_contact add column clock_ahead double precision;
