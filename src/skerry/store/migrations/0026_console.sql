-- Where a session was opened from, and what proved it; empty for tokens, and for older sessions.
alter table token add column address text not null default '';
alter table token add column opened_by text not null default '';

-- What a browser opens one websocket with, in place of its token: works once, for one path.
create table ticket (
  digest bytea primary key check (octet_length(digest) = 32),
  token_id uuid not null references token (id) on delete cascade,
  path text not null,
  expires_at timestamptz not null
);
create index ticket_old on ticket (expires_at);
create index ticket_token on ticket (token_id);
