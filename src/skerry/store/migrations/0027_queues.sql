-- What waits for its queue, and what its queue has admitted: one row for each resource that asks.
create table queue_entry (
  owner uuid primary key references resource (uid),
  queue text not null,         -- TENANT/NAME; empty: of no queue
  tenant text not null,
  workspace text not null,
  subject text not null,       -- the owner's ref
  priority integer not null,
  preempts boolean not null,
  preemptible boolean not null,
  notice integer not null,     -- seconds between the word that it must end and its end
  millicores bigint not null,  -- of all its tasks together, like memory and gpus
  memory bigint not null,
  gpus bigint not null,
  models text[] not null,
  duration bigint not null,    -- seconds it may run at most; 0: no limit
  asked_at timestamptz not null,
  number bigint generated always as identity,
  state text not null check (state in ('waiting', 'admitted')),
  model text not null default '',  -- the GPU model that it is counted as
  told boolean not null default false,  -- its admission stands in the log
  admitted_at timestamptz,
  rests_until timestamptz,     -- it found no place, and is tried again then
  unplaced_since timestamptz,
  evicted_at timestamptz,      -- it must give way
  evicted_for uuid,
  evicted_why text not null default '',
  warned boolean not null default false  -- its flow has been told so
);
create index queue_entry_waiting on queue_entry (queue, priority desc, asked_at, number)
  where state = 'waiting';
create index queue_entry_admitted on queue_entry (queue, admitted_at) where state = 'admitted';
create index queue_entry_evicted on queue_entry (evicted_at) where evicted_at is not null;

-- What the hand did for one queue at one moment.
create table queue_round (
  id uuid primary key,
  at timestamptz not null,
  queue text not null,
  body text not null           -- canonical JSON
);
create index queue_round_queue on queue_round (queue, at desc);

-- How long what ended had run, by what it was: what an estimate rests on where there is no limit.
create table queue_past (
  queue text not null,
  millicores bigint not null,
  gpus bigint not null,
  runs bigint not null,
  seconds double precision not null,  -- the mean
  primary key (queue, millicores, gpus)
);
