-- What is sold, on which terms, and to whom.

-- The terms of offers, each text once. A digest is the SHA-256 of what it names.
create table offer_terms (
  digest bytea primary key,
  body text not null         -- canonical JSON
);

-- Every state an offer ever had: its terms, and what of it was reserved or leased. A decision names
-- the states that it saw, so they are never changed.
create table offer_state (
  offer text not null,
  version bigint not null,
  terms bytea not null references offer_terms (digest),
  used text not null,        -- canonical JSON
  digest bytea not null,     -- of terms, use and version together
  at timestamptz not null,
  primary key (offer, version)
);

-- The state each offer is in now. The row is also its lock. `xid` lets readers follow: whatever
-- they have not seen was written by a transaction at or above the oldest that was running then.
create table offer (
  id text primary key,
  version bigint not null,
  retired boolean not null default false,
  xid xid8 not null default pg_current_xact_id(),
  foreign key (id, version) references offer_state (offer, version)
);
create index offer_xid on offer (xid);

-- The states of all offers at one moment, under the digest of this list. Decisions give the few
-- that had changed since.
create table offer_snapshot (
  digest text primary key,
  members text not null,     -- JSON: [[offer, version], …] by offer
  at timestamptz not null
);

create table decision (
  id uuid primary key,
  at timestamptz not null,
  tenant text not null,
  workspace text not null,
  owner uuid not null,       -- the resource that asked
  subject text not null,     -- its ref
  purpose text not null check (purpose in ('placement', 'quote')),
  outcome text not null check (outcome in ('placed', 'quoted', 'unplaced', 'unaffordable')),
  base text not null references offer_snapshot (digest),
  changes text not null,     -- JSON: [[offer, version], …] since the base; version 0: gone
  body text not null         -- canonical JSON of what was decided, and from what
);
create index decision_owner on decision (owner, at desc);
create index decision_tenant on decision (tenant, at);

-- Capacity taken. Its terms are those of its decision.
create table lease (
  id uuid primary key,
  decision uuid not null references decision (id),
  offer text not null references offer (id),
  owner uuid not null,
  part text not null,        -- which of the owner's leases; empty where it has one
  tenant text not null,
  workspace text not null,
  takes text not null,       -- canonical JSON: how much of the offer
  state text not null check (state in ('reserved', 'active', 'draining', 'closed')),
  reason text not null default '',
  made_at timestamptz not null,
  expires_at timestamptz,    -- of a reservation
  confirmed_at timestamptz,
  drains_until timestamptz,
  closed_at timestamptz,
  check ((state = 'closed') = (closed_at is not null)),
  check (state <> 'reserved' or expires_at is not null)
);
-- At most one that is open for each owner and part.
create unique index lease_open on lease (owner, part) where state <> 'closed';
create index lease_owner on lease (owner, made_at);
create index lease_expiring on lease (expires_at) where state = 'reserved';
create index lease_offer on lease (offer) where state <> 'closed';
