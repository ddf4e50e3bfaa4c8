-- A second factor (RFC 6238). The seed is sealed; of recovery codes there are only digests. The last
-- step that a code was taken of is kept, so that none is taken twice.
create table second_factor (
  user_uid uuid primary key references resource (uid) on delete cascade,
  seed bytea not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  recovery bytea[] not null default '{}'
);
