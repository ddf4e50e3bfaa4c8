-- Time is the database's. The shift is zero but in rehearsals.
create table clock (
  single boolean primary key default true check (single),
  shift interval not null default '0'
);
insert into clock default values;

create function skerry_now() returns timestamptz
language sql stable parallel safe
as 'select clock_timestamp() + shift from clock';

-- Every resource of every kind. A deleted row keeps its last content until it is purged.
create table resource (
  uid uuid primary key,
  kind text not null,
  ref text not null,
  name text not null,
  tenant text not null,
  workspace text not null,
  region text not null,
  parent_ref text not null,
  owner_uid uuid references resource (uid),
  root_uid uuid not null,
  created_by text not null,
  labels jsonb not null,
  annotations json not null,
  extensions json not null,
  spec json not null,
  spec_version text not null,
  status json not null,
  state text not null check (state in ('pending', 'creating', 'active', 'updating', 'deleting', 'error')),
  conditions json not null,
  version bigint not null,
  generation bigint not null,
  created_at timestamptz not null,
  modified_at timestamptz not null,
  deleted_at timestamptz
);
create unique index resource_ref on resource (ref) where deleted_at is null;
create index resource_list on resource (kind, parent_ref, name) where deleted_at is null;
create index resource_gone on resource (kind, parent_ref, deleted_at) where deleted_at is not null;
create index resource_parent on resource (parent_ref) where deleted_at is null;
create index resource_owner on resource (owner_uid) where owner_uid is not null;
create index resource_labels on resource using gin (labels) where deleted_at is null;
create index resource_tenant on resource (tenant, kind) where deleted_at is null;

-- Fields a kind marks as secret: sealed, write-only, never in spec.
create table sealed (
  uid uuid not null references resource (uid) on delete cascade,
  field text not null,
  ciphertext bytea not null,
  primary key (uid, field)
);
-- One per tenant, wrapped by a key that is in a file, not here.
create table data_key (
  tenant text primary key,
  key_id text not null,
  wrapped bytea not null
);

-- Who needs whom: a resource is not deleted while one that can't work without it points at it.
create table reference (
  from_uid uuid not null references resource (uid) on delete cascade,
  field text not null,
  to_uid uuid not null references resource (uid) on delete cascade,
  primary key (from_uid, field, to_uid)
);
create index reference_to on reference (to_uid);

create table quota (
  tenant text not null,
  kind text not null,
  most bigint not null,
  primary key (tenant, kind)
);
create table quota_use (
  tenant text not null,
  kind text not null,
  used bigint not null default 0 check (used >= 0),
  primary key (tenant, kind)
);

-- One row per change, written in the change's own transaction: the feed's event and the source
-- of the log's leaf. Positions come later, from the sequencer.
create table change (
  id uuid primary key,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null,
  kind text not null,
  subject text not null,
  verb text not null,
  tenant text not null,
  workspace text not null,
  actor text not null,
  version bigint not null,
  body text not null,
  salt bytea not null,
  leaf bytea not null
);
create index change_xid on change (xid, version, id);
create index change_subject on change (kind, subject, version);
create index change_tenant on change (tenant, at);

create table feed (
  position bigint primary key,
  change_id uuid not null unique references change (id)
);

-- A resource's work in progress: which step is next, when, and who holds it.
create table flow (
  uid uuid primary key references resource (uid) on delete cascade,
  kind text not null,
  step text not null,
  data json not null default '{}',
  wake_at timestamptz not null,
  entered_at timestamptz not null,
  deadline timestamptz,
  generation bigint not null,
  deleting boolean not null default false,
  intents json not null default '[]',
  poke bigint not null default 0,
  token bigint not null default 0,
  lease_until timestamptz,
  tries integer not null default 0,
  problem text not null default ''
);
create index flow_wake on flow (wake_at);
create sequence flow_token;

-- What needs a person's eye. One open alert per subject and reason.
create table alert (
  id uuid primary key,
  subject text not null,
  tenant text not null,
  reason text not null,
  message text not null,
  remedy text not null,
  raised_at timestamptz not null,
  cleared_at timestamptz
);
create unique index alert_open on alert (subject, reason) where cleared_at is null;

-- Which blobs a workspace may use.
create table workspace_blob (
  tenant text not null,
  workspace text not null,
  digest text not null,
  used_at timestamptz not null,
  primary key (tenant, workspace, digest)
);
