-- name: accounts
-- Counters that are not the sums of their transfers.
with effects as (
  select t.debit as id, true as debit,
    case t.verb when 'pending' then t.amount when 'move' then 0 else -p.amount end as pending,
    case when t.verb in ('move', 'post') then t.amount else 0 end as posted, t.credit as other
  from transfer t left join transfer p on p.id = t.pending
), sides as (
  select id, debit, pending, posted from effects
  union all select other, false, pending, posted from effects
), sums as (
  select id,
    coalesce(sum(pending) filter (where debit), 0) as debits_pending,
    coalesce(sum(posted) filter (where debit), 0) as debits_posted,
    coalesce(sum(pending) filter (where not debit), 0) as credits_pending,
    coalesce(sum(posted) filter (where not debit), 0) as credits_posted
  from sides group by id
)
select a.id, a.owner, a.workspace, a.code, a.currency,
  a.credits_posted - a.debits_posted as balance,
  coalesce(s.credits_posted - s.debits_posted, 0) as summed
from account a left join sums s on s.id = a.id
where (a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted)
  is distinct from (coalesce(s.debits_pending, 0), coalesce(s.debits_posted, 0),
    coalesce(s.credits_pending, 0), coalesce(s.credits_posted, 0))
order by a.owner, a.code

-- name: balances
select currency, sum(credits_posted - debits_posted) as balance from account
group by currency having sum(credits_posted - debits_posted) <> 0

-- name: terms
-- Funds whose guard is not what the tenant's terms say.
select a.owner, a.guard, a.allowance, t.mode, t.credit_limit
from account a
join lateral (select * from terms where tenant = a.owner order by version desc limit 1) t on true
where a.code = 'funds' and (a.guard, a.allowance) is distinct from (
  case when t.mode = 'postpaid' and t.credit_limit is null then 'none' else 'debits' end,
  case when t.mode = 'postpaid' then coalesce(t.credit_limit, 0) else 0 end)

-- name: holds
-- Held accounts that are not what the leases' holds have left.
select coalesce(a.owner, h.tenant) as tenant, coalesce(a.workspace, h.workspace) as workspace,
  coalesce(a.held, 0) as held, coalesce(h.remaining, 0) as remaining
from (
  select owner, workspace, credits_pending + credits_posted - debits_posted as held
  from account where code = 'held'
) a full join (
  select h.tenant, h.workspace, sum(h.amount - coalesce(s.posted, 0)) as remaining
  from hold h left join (select lease, sum(posted) as posted from stream group by lease) s
    on s.lease = h.lease
  group by h.tenant, h.workspace
) h on h.tenant = a.owner and h.workspace = a.workspace
where coalesce(a.held, 0) <> coalesce(h.remaining, 0)

-- name: streams
-- Streams that are not the sums of their usage, or not priced by their own price.
select s.id, s.lease, s.meter, s.quantity, s.posted, coalesce(u.quantity, 0) as used,
  coalesce(u.amount, 0) as charged
from stream s left join (
  select stream, sum(quantity) as quantity, sum(amount) as amount, sum(unbilled) as unbilled
  from usage group by stream
) u on u.stream = s.id
where s.quantity <> coalesce(u.quantity, 0) or s.posted <> coalesce(u.amount, 0)
  or s.unbilled <> coalesce(u.unbilled, 0)
  or s.posted + s.unbilled <> div(s.price::numeric * s.quantity, s.per)
order by s.lease, s.meter

-- name: windows
-- Usage rows whose amount is not what their stream's price makes of the quantity up to them.
select x.lease, x.meter, x.starts_at, x.amount, x.due
from (
  select s.lease, s.meter, u.starts_at, u.amount + u.unbilled as amount,
    div(s.price * sum(u.quantity) over w, s.per)
      - div(s.price * (sum(u.quantity) over w - u.quantity), s.per) as due
  from usage u join stream s on s.id = u.stream
  window w as (partition by u.stream order by u.batch, u.starts_at)
) x
where x.amount <> x.due
order by x.lease, x.meter, x.starts_at

-- name: orphans
select 'usage' as what, stream::text || ' from ' || starts_at as id from usage u
where not exists (select 1 from stream s where s.id = u.stream)
  or not exists (select 1 from batch b where b.id = u.batch)
union all
select 'transfer', id::text from transfer t
where not exists (select 1 from batch b where b.id = t.batch)

-- name: batches
-- Batches whose usage was not charged in exactly their own transfers.
select coalesce(u.batch, t.batch) as batch, coalesce(u.tenant, t.tenant) as tenant,
  coalesce(u.amount, 0) as used, coalesce(t.amount, 0) as charged
from (
  select batch, tenant, sum(amount) as amount from usage_record group by batch, tenant
) u full join (
  select t.batch, a.owner as tenant,
    sum(case t.code when 'usage' then t.amount else -t.amount end) as amount
  from transfer t join account a on a.id = case t.code when 'usage' then t.credit else t.debit end
  where t.code in ('usage', 'correction')
  group by t.batch, a.owner
) t on t.batch = u.batch and t.tenant = u.tenant
where coalesce(u.amount, 0) <> coalesce(t.amount, 0)

-- name: spending
select coalesce(s.tenant, u.tenant) as tenant, coalesce(s.workspace, u.workspace) as workspace,
  coalesce(s.period, u.period) as period, coalesce(s.amount, 0) as kept,
  coalesce(u.amount, 0) as used
from spending s full join (
  select tenant, workspace, period, sum(amount) as amount from usage_record
  group by tenant, workspace, period
) u on u.tenant = s.tenant and u.workspace = s.workspace and u.period = s.period
where coalesce(s.amount, 0) <> coalesce(u.amount, 0)

-- name: all_batches
select id from batch order by id

-- name: all_invoices
select i.tenant, i.period, i.number, i.total, i.exact, i.document,
  coalesce((select sum(case when a.code = 'carry' then t.amount else -t.amount end)
    from transfer t join account a on a.id = t.debit
    where t.code = 'rounding' and t.subject = i.number), 0)::bigint as rounding
from invoice i order by i.tenant, i.period

-- name: gaps
-- Series whose numbers do not follow each other from 1 to the last one given.
select s.series, s.last from invoice_series s
left join (select series, count(*) as count, max(serial) as last from issued_invoice
  group by series) i on i.series = s.series
where s.last <> coalesce(i.count, 0) or s.last <> coalesce(i.last, 0)
order by s.series

-- name: issued_moves
-- What the ledger moved for each issued document: tax to a country, and what was free to funds.
select t.subject,
  sum(case when c.code like 'vat:%' then t.amount when d.code like 'vat:%' then -t.amount else 0 end)
    as vat,
  sum(case when d.code = 'allowances' then t.amount when c.code = 'allowances' then -t.amount
    else 0 end) as free
from transfer t join account d on d.id = t.debit join account c on c.id = t.credit
where t.subject in (select number from issued_invoice)
group by t.subject

-- name: bills_of
-- The months' bills behind issued documents $1.
select i.number, b.document from issued_invoice i
join invoice b on b.tenant = i.tenant and b.period = i.period
where i.number = any($1)

-- name: standing_money
-- A tenant's accounts are what it paid and was given beyond its invoices, less what is open of them
-- and what was used and not issued yet: of closed months as rounded, of others exactly.
with accounts as (
  select owner as tenant, currency, sum(credits_posted - debits_posted) as balance
  from account where owner <> '' and code in ('funds', 'held', 'due', 'carry')
  group by owner, currency
), credit as (
  select a.owner as tenant, sum(t.amount) as amount
  from transfer t join account a on a.id = t.credit
  where a.code = 'funds' and t.code in ('payment', 'voucher', 'promo', 'gift')
  group by a.owner
), documents as (
  select i.tenant,
    sum(case when i.type = 'invoice' then -i.gross - i.promo else i.gross end) as amount
  from issued_invoice i group by i.tenant
), payments as (
  select i.tenant, sum(p.amount) as amount
  from invoice_payment p join issued_invoice i using (number) group by i.tenant
), unissued as (
  select coalesce(s.tenant, b.tenant) as tenant,
    sum(coalesce(b.total, s.amount)) as amount
  from (select tenant, period, sum(amount) as amount from spending group by tenant, period) s
  full join invoice b on b.tenant = s.tenant and b.period = s.period
  where not exists (select 1 from issued_invoice i where i.type = 'invoice'
    and i.tenant = coalesce(s.tenant, b.tenant) and i.period = coalesce(s.period, b.period))
  group by 1
)
select a.tenant, a.currency, a.balance as accounts,
  coalesce(c.amount, 0) + coalesce(d.amount, 0) + coalesce(p.amount, 0) - coalesce(u.amount, 0)
    as documents
from accounts a left join credit c using (tenant) left join documents d using (tenant)
left join payments p using (tenant) left join unissued u using (tenant)
where a.balance <> coalesce(c.amount, 0) + coalesce(d.amount, 0) + coalesce(p.amount, 0)
  - coalesce(u.amount, 0)
order by a.tenant
