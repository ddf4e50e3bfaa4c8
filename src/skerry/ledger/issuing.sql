-- name: open_series
insert into invoice_series (series, last) values ($1, 0) on conflict do nothing

-- name: lock_series
select last from invoice_series where series = $1 for update

-- name: next_number
update invoice_series set last = last + 1 where series = $1 returning last

-- name: of_months
select period, number from issued_invoice
where tenant = $1 and period = any($2::date[]) and type = 'invoice'

-- name: record
-- The newest spec of a resource that there is one of.
select spec from resource where kind = $1 and tenant = $2 and name = $3 and deleted_at is null

-- name: bill_hash
select encode(sha256(convert_to(document, 'UTF8')), 'hex') from invoice
where tenant = $1 and period = $2

-- name: add
insert into issued_invoice (number, series, serial, type, tenant, period, corrects, currency, net,
  vat, gross, promo, prepaid, excess, issued_on, due_on, document, issued_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: document
select document from issued_invoice where number = $1

-- name: credit
-- What a tenant ($1, its funds $2) paid in and was given, beyond what its invoices used of it.
select
  coalesce((select sum(amount) from transfer
    where credit = $2 and code in ('payment', 'voucher')), 0)
  + coalesce((select sum(excess) - sum(prepaid) from issued_invoice where tenant = $1), 0)
    as paid,
  coalesce((select sum(amount) from transfer where credit = $2 and code in ('promo', 'gift')), 0)
  - coalesce((select sum(promo) from issued_invoice
      where tenant = $1 and type = 'invoice'), 0) as given

-- name: standings
-- Issued invoices and credit notes with what was paid and credited of each; of one tenant ($1) or,
-- for null, of all; some numbers ($2) or all; one month ($3) or all; all, or only invoices that were
-- due in the ninety days before $4.
select i.number, i.type, i.tenant, i.period, i.corrects, i.currency, i.net, i.vat, i.gross,
  i.prepaid, i.issued_on, i.due_on, i.document, coalesce(p.paid, 0)::bigint as paid,
  p.last as paid_on,
  coalesce(c.net, 0)::bigint as credited_net, coalesce(c.vat, 0)::bigint as credited_vat,
  coalesce(c.applied, 0)::bigint as applied
from issued_invoice i
left join lateral (
  select sum(amount) as paid, max(received_on) as last from invoice_payment where number = i.number
) p on true
left join lateral (
  select sum(net) as net, sum(vat) as vat, sum(gross - excess) as applied from issued_invoice
  where corrects = i.number
) c on true
where ($1::text is null or i.tenant = $1) and ($2::text[] is null or i.number = any($2))
  and ($3::date is null or i.period = $3)
  and ($4::date is null
    or i.type = 'invoice' and i.due_on < $4::date and i.due_on >= $4::date - 90)
order by i.series, i.serial

-- name: pay
insert into invoice_payment (id, number, amount, received_on, reference, at)
values ($1, $2, $3, $4, $5, $6)

-- name: payment
select number, amount, received_on, reference from invoice_payment where id = $1

-- name: payments
select id, amount, received_on, reference, at from invoice_payment where number = $1
order by received_on, at, id

-- name: lock_invoice
select number from issued_invoice where number = $1 for update
