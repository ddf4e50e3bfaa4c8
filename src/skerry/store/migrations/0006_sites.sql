-- What is known of the places where work runs, as those who watch them saw it.

-- The last contact with each site, and which process watches it.
create table site_contact (
  site text primary key,
  last_seen_at timestamptz,
  connected_at timestamptz,
  agent_version text not null default '',
  boot_id text not null default '',
  capacity json,             -- contract.Capacity
  watcher text not null default '',
  watcher_until timestamptz
);

-- Agents prove by a token that they speak for their site; only its SHA-256 is here.
create table site_token (
  id uuid primary key,
  site text not null,
  digest bytea not null unique,
  made_at timestamptz not null,
  revoked_at timestamptz
);
create index site_token_site on site_token (site) where revoked_at is null;

-- Times in which a site was out of contact although we were there to hear it. Not billed.
create table site_outage (
  id uuid primary key,
  site text not null,
  began_at timestamptz not null,
  ended_at timestamptz,
  check (ended_at is null or ended_at >= began_at)
);
create unique index site_outage_open on site_outage (site) where ended_at is null;
create index site_outage_time on site_outage (site, began_at);

-- Each workload that a flow ever made, and what was last seen of it.
create table workload (
  id text primary key,
  site text not null,
  owner uuid not null,       -- the resource whose flow it is
  tenant text not null,
  made_at timestamptz not null,
  status json,               -- contract.WorkloadStatus; null: never seen at the site
  fence bigint not null default 0,
  seen_at timestamptz,
  started_at timestamptz,    -- the host's time of its first task's start
  ended_at timestamptz,      -- and of its last task's end
  gone_at timestamptz,       -- the site said that it does not have it any more
  given_up_at timestamptz    -- no flow wants it any more
);
create index workload_site on workload (site) where gone_at is null;
create index workload_owner on workload (owner);

-- Workloads found at a site that this database knows nothing of. They are never touched.
create table site_orphan (
  site text not null,
  id text not null,
  first_seen_at timestamptz not null,
  status json not null,
  primary key (site, id)
);
