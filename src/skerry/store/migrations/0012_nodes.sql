-- The server processes of this cloud: who they are, and where others reach them.
create unlogged table node (
  id text primary key,              -- made up at each start
  name text not null,
  roles text[] not null,
  version text not null,
  relay text not null default '',   -- HOST:PORT for other nodes; empty: it has nothing to relay
  door text not null default '',    -- HOST:PORT for hosts that join; empty: it takes none
  fingerprint text not null default '', -- SHA-256 of the authority that its door vouches with
  started_at timestamptz not null,
  seen_at timestamptz not null      -- by the machine's clock: a shift of ours ends no node
);
