-- Invoices that are sent: numbered, immutable, corrected by credit notes, paid.

-- The last number given in each series. Its row is locked from before a number is needed until the
-- transaction that uses it ends: a number is never given twice and none is left out.
create table invoice_series (
  series text primary key,
  last bigint not null check (last >= 0)
);

create table issued_invoice (
  number text primary key,
  series text not null,
  serial bigint not null check (serial > 0),
  type text not null check (type in ('invoice', 'credit-note')),
  tenant text not null,
  period date not null,
  corrects text references issued_invoice (number),
  currency text not null,
  net bigint not null,
  vat bigint not null,
  gross bigint not null,
  promo bigint not null default 0,    -- of what was given to the tenant
  prepaid bigint not null default 0,  -- of what the tenant had paid before
  excess bigint not null default 0,   -- of a credit note: more than was still open, so credit again
  issued_on date not null,
  due_on date not null,
  document text not null,             -- canonical JSON
  issued_at timestamptz not null,
  unique (series, serial),
  check ((type = 'credit-note') = (corrects is not null))
);
create unique index issued_invoice_once on issued_invoice (tenant, period) where type = 'invoice';
create index issued_invoice_corrects on issued_invoice (corrects) where corrects is not null;

create table invoice_payment (
  id uuid primary key,
  number text not null references issued_invoice (number),
  amount bigint not null check (amount > 0),
  received_on date not null,
  reference text not null,
  at timestamptz not null
);
create index invoice_payment_number on invoice_payment (number);

create trigger issued_invoice_immutable before update or delete on issued_invoice
  for each row execute function refuse_change();
create trigger issued_invoice_kept before truncate on issued_invoice
  execute function refuse_change();
create trigger invoice_payment_immutable before update or delete on invoice_payment
  for each row execute function refuse_change();
create trigger invoice_payment_kept before truncate on invoice_payment
  execute function refuse_change();
