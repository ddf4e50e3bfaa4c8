-- Checkpoints of other logs that this cloud has cosigned, the last of each: it never cosigns a tree
-- that does not begin with that one.
create table witnessed (
  origin text primary key,
  size bigint not null,
  root bytea not null,
  note text not null,
  at timestamptz not null
);

-- What witnesses have put under checkpoints of this cloud. No change tells of them: each would be
-- one more checkpoint to cosign, without end.
create table cosignature (
  witness uuid not null,
  size bigint not null,
  line text not null,
  at timestamptz not null,
  primary key (witness, size)
);
create index cosignature_size on cosignature (size);
