-- What proves who somebody is. Only digests: a copy of this table lets nobody in.
-- A token that is a resource (``token``) goes with it; one without is a login session.
create table token (
  id uuid primary key,
  digest bytea not null unique check (octet_length(digest) = 32),
  subject_uid uuid not null references resource (uid) on delete cascade,
  resource_uid uuid unique references resource (uid) on delete cascade deferrable initially deferred,
  scopes json not null default '[]',
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz
);
create index token_subject on token (subject_uid);
create index token_sessions on token (expires_at) where resource_uid is null;

-- Passwords, as argon2id's own strings.
create table credential (
  subject_uid uuid primary key references resource (uid) on delete cascade,
  hash text not null,
  changed_at timestamptz not null
);

-- Failed logins. Accounts and addresses are hashed into a fixed number of rows, so nobody can
-- make this table grow.
create table login_attempt (
  bucket integer primary key,
  failures integer not null,
  since timestamptz not null
);

-- A number per tenant that changes whenever its roles or assignments do. Whoever keeps them in
-- memory keeps them for one number. A trigger raises it, so no code path can forget to.
create table authorization_epoch (
  tenant text primary key,
  epoch bigint not null
);

create function raise_authorization_epoch() returns trigger language plpgsql as $$
begin
  insert into authorization_epoch as e (tenant, epoch)
  values (case tg_op when 'DELETE' then old.tenant else new.tenant end, 1)
  on conflict (tenant) do update set epoch = e.epoch + 1;
  return null;
end
$$;

create trigger authorization_written after insert or update on resource
for each row when (new.kind in ('role', 'role-assignment'))
execute function raise_authorization_epoch();

create trigger authorization_purged after delete on resource
for each row when (old.kind in ('role', 'role-assignment'))
execute function raise_authorization_epoch();

-- An e-mail address stands for one user of a tenant.
create unique index user_email on resource (tenant, lower(spec ->> 'email'))
where kind = 'user' and deleted_at is null and spec ->> 'email' <> '';

create index resource_workspace on resource (tenant, workspace)
where deleted_at is null and workspace <> '';
