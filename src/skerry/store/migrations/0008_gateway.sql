-- How routes are reached: what the gateways of this cloud were told when they started.
create table gateway_face (
  single boolean primary key default true check (single),
  scheme text not null,
  base text not null,        -- automatic names are below this
  port integer not null,     -- the port in their URLs
  reserved text[] not null,  -- names that no route may have
  tcp_first integer not null,
  tcp_last integer not null
);

-- Gateways that run, or did.
create table gateway (
  name text primary key,
  seen_at timestamptz not null
);

-- Who has which name, and which port: one route each.
create table gateway_host (
  host text primary key,
  route uuid not null,
  automatic boolean not null
);
create index gateway_host_route on gateway_host (route);
create table gateway_port (
  port integer primary key,
  route uuid not null unique
);

-- Up to which version each gateway follows a route, and which workloads that left it still have
-- requests there.
create table route_seen (
  gateway text not null,
  route uuid not null,
  version bigint not null,
  draining text[] not null default '{}',
  last_at timestamptz,  -- of the last request there
  primary key (gateway, route)
) with (fillfactor = 50);
create index route_seen_route on route_seen (route);

-- What was counted of a route in a piece of a gateway's spool: the piece's name makes it count once.
create table gateway_usage (
  piece uuid not null,
  route uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  requests bigint not null,
  received bigint not null,
  sent bigint not null,
  primary key (piece, route)
);
create index gateway_usage_route on gateway_usage (route, starts_at);
create index gateway_usage_age on gateway_usage (ends_at);

-- One-time links into a route that asks who one is, and what they were exchanged for.
create table gateway_pass (
  digest bytea primary key,
  once boolean not null,
  route uuid not null,
  subject uuid not null,
  scopes json not null,
  expires_at timestamptz not null
);
create index gateway_pass_age on gateway_pass (expires_at);

-- Certificates: from files (names as they stand in them), from an authority of our own (host *), or
-- from an ACME directory. Only the last have chain and key, which is sealed, and are ordered by who
-- holds the row's lease (busy), so that no two orders are under way for one name.
create table gateway_certificate (
  host text primary key,
  source text not null check (source in ('file', 'authority', 'acme')),
  chain text not null default '',
  sealed_key bytea,
  not_after timestamptz,
  renew_at timestamptz not null,
  tries integer not null default 0,
  problem text not null default '',
  busy uuid,
  busy_until timestamptz
);
create table gateway_challenge (
  token text primary key,
  answer text not null,
  expires_at timestamptz not null
);

-- Keys of the gateways themselves, sealed: the private authority's, the ACME account's.
create table gateway_key (
  name text primary key,
  sealed bytea not null,
  public text not null default ''
);
