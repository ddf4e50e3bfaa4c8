-- What is to be told, written in the transaction of its cause; the sorter takes it from here.
create table notice_outbox (
  id uuid primary key,
  at timestamptz not null,
  topic text not null,
  tenant text not null,
  addresses text[] not null,   -- empty: whom the tenant's preferences name
  webhook uuid,                -- only this one; else all that want the topic
  subject text not null,
  text text not null,
  facts jsonb not null,
  once bytea                   -- a one-time link, sealed
);
create index notice_outbox_age on notice_outbox (at, id);

-- What was told, or is about to be: never again under the same key.
create table notice_key (
  key text primary key,
  at timestamptz not null
);

-- One notice on its way to one address or webhook.
create table notice_delivery (
  id uuid primary key,
  notice uuid not null references resource (uid) on delete cascade,
  tenant text not null,
  channel text not null check (channel in ('mail', 'webhook')),
  target text not null,        -- an address, or a webhook's name
  webhook uuid,
  phase text not null check (phase in ('waiting', 'sent', 'failed', 'folded', 'listed')),
  tries integer not null default 0,
  began_at timestamptz not null,
  due_at timestamptz not null, -- while it is being delivered: when its lease ends
  fence bigint not null default 0,
  error text not null default '',
  once bytea
);
create index notice_delivery_due on notice_delivery (channel, due_at) where phase = 'waiting';
create index notice_delivery_mails on notice_delivery (tenant, began_at) where channel = 'mail';
create index notice_delivery_folded on notice_delivery (began_at) where phase = 'folded';
create index notice_delivery_notice on notice_delivery (notice);
create index notice_delivery_webhook on notice_delivery (webhook, began_at);

-- What came of each try.
create table notice_attempt (
  delivery uuid not null references notice_delivery (id) on delete cascade,
  number integer not null,
  at timestamptz not null,
  milliseconds integer not null,
  ok boolean not null,
  code integer not null,       -- SMTP's or HTTP's; 0: none came
  said text not null,
  primary key (delivery, number)
);

-- What people were last told of an alert.
create table notice_told (
  subject text not null,
  reason text not null,
  tenant text not null,
  phase text not null check (phase in ('open', 'cleared')),
  at timestamptz not null,
  primary key (subject, reason)
);

-- What the elected sorter can do.
create table notice_office (
  single boolean primary key default true check (single),
  mail boolean not null
);

-- Told in another way, or about telling itself: no notice is made of it.
alter table alert add column quiet boolean not null default false;
