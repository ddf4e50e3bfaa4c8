-- name: seller
select spec from resource where kind = 'seller' and deleted_at is null limit 1

-- name: prepaid
-- Of the funds $1, those of prepaid tenants: in one snapshot, what they have, what their workspaces
-- hold, what was used in months without an invoice, and what is left of gifts.
select f.owner as tenant, f.currency,
  f.credits_posted - f.debits_posted - f.debits_pending as funds,
  (select coalesce(sum(credits_pending + credits_posted - debits_posted), 0) from account h
    where h.owner = f.owner and h.code = 'held' and h.currency = f.currency) as held,
  (select coalesce(sum(s.amount), 0) from spending s
    where s.tenant = f.owner and s.currency = f.currency
      and not exists (select 1 from issued_invoice i
        where i.tenant = s.tenant and i.period = s.period and i.type = 'invoice')) as unsaid,
  (select coalesce(sum(amount), 0) from transfer
    where credit = f.id and code in ('promo', 'gift'))
  - (select coalesce(sum(promo), 0) from issued_invoice i
      where i.tenant = f.owner and i.type = 'invoice') as given,
  (select a.spec -> 'customer' from resource a
    where a.kind = 'billing-account' and a.tenant = f.owner and a.deleted_at is null) as customer
from account f
where f.id = any($1::uuid[]) and f.guard = 'debits'
  and (select mode from terms t where t.tenant = f.owner order by version desc limit 1) = 'prepaid'
