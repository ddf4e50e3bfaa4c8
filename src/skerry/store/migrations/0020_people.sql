-- Whom an issuer's subjects are: tied at the first sign-in, by the issuer's own name for them.
create table issuer_link (
  issuer_uid uuid not null references resource (uid) on delete cascade,
  subject text not null,
  tenant text not null,
  user_uid uuid not null references resource (uid) on delete cascade,
  since timestamptz not null,
  primary key (issuer_uid, subject, tenant)
);
create index issuer_link_user on issuer_link (user_uid);

-- A sign-in under way: first known by the state that the issuer is sent, then by the code that the
-- command line collects. Only digests; nothing here lets anybody in by itself.
create table sign_in (
  digest bytea primary key check (octet_length(digest) = 32),
  issuer text not null,
  tenant text not null,
  back text not null,
  state text not null,
  challenge text not null,
  invitation bytea,
  user_uid uuid references resource (uid) on delete cascade,
  expires_at timestamptz not null
);
create index sign_in_expires on sign_in (expires_at);

-- Links that work once: an invitation's, or one to set a new password. Only digests. What was used
-- stays until it would have run out, so that whoever tries it again is told why it fails.
create table one_time_link (
  digest bytea primary key check (octet_length(digest) = 32),
  tenant text not null,
  invitation_uid uuid references resource (uid) on delete cascade deferrable initially deferred,
  user_uid uuid references resource (uid) on delete cascade,
  expires_at timestamptz not null,
  used_at timestamptz,
  check ((invitation_uid is null) <> (user_uid is null))
);
create index one_time_link_invitation on one_time_link (invitation_uid);
create index one_time_link_user on one_time_link (user_uid);
create index one_time_link_expires on one_time_link (expires_at);
