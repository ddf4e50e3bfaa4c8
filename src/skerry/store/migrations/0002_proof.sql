-- How far the sequencer has come: every change up to this one has its position.
create table sequencer (
  single boolean primary key default true check (single),
  xid xid8 not null default '0',
  version bigint not null default 0,
  id uuid not null default '00000000-0000-0000-0000-000000000000'
);
insert into sequencer default values;

-- Every tree head that was ever signed: size of the tree, root over its leaves, the signed note.
create table checkpoint (
  size bigint primary key check (size >= 0),
  root bytea not null check (length(root) = 32),
  note text not null,
  at timestamptz not null
);
