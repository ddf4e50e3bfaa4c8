-- name: revenue
-- By month and tenant, from month $1 to $2 (null: without end): what was used, what invoices less
-- credit notes came to before tax, and what of them is open with tax.
select period, tenant, currency, sum(used) as used, sum(invoiced) as invoiced, sum(open) as open
from (
  select period, tenant, currency, amount as used, 0 as invoiced, 0 as open from spending
  union all
  select period, tenant, currency, 0, case when type = 'credit-note' then -net else net end,
    case when type = 'credit-note' then excess - gross else gross - prepaid - coalesce(
      (select sum(amount) from invoice_payment p where p.number = i.number), 0) end
  from issued_invoice i
) found
where ($1::date is null or period >= $1) and ($2::date is null or period <= $2)
group by period, tenant, currency
order by period desc, tenant

-- name: charged_by_day
-- From $1 to $2, by the day (UTC) on which it was charged. Batches are numbered as time goes.
select date_trunc('day', t.at, 'UTC') as day, a.owner as tenant, substr(a.code, 9) as product,
  a.currency, sum(case when t.credit = a.id then t.amount else -t.amount end) as amount
from transfer t join account a on a.id in (t.credit, t.debit)
where t.batch >= (select coalesce(min(id), 0) from batch where at >= $1)
  and t.at >= $1 and t.at < $2 and t.code in ('usage', 'correction') and a.code like 'revenue:%'
group by 1, 2, 3, 4
order by 1 desc, 2, 3

-- name: corrections
select document from issued_invoice where corrects = $1 order by series, serial
