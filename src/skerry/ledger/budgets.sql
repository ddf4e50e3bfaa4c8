-- name: budgets
-- Budgets are resources of the kernel; what is spent and held is the ledger's.
select r.uid, r.name, r.tenant, r.spec, t.currency,
  coalesce((select sum(s.amount) from spending s
    where s.tenant = r.tenant and s.period = $2 and s.currency = t.currency
      and coalesce(r.spec->>'workspace', '') in ('', s.workspace)), 0) as spent,
  coalesce((select sum(a.credits_pending + a.credits_posted - a.debits_posted) from account a
    where a.owner = r.tenant and a.code = 'held' and a.currency = t.currency
      and coalesce(r.spec->>'workspace', '') in ('', a.workspace)), 0) as held
from resource r
join lateral (select currency from terms where tenant = r.tenant order by version desc limit 1) t
  on true
where r.kind = 'budget' and r.tenant = any($1) and r.deleted_at is null
order by r.tenant, r.name

-- name: add_alert
insert into budget_alert (budget, period, threshold, at) values ($1, $2, $3, $4)
on conflict do nothing returning true

-- name: has_alert
select true from budget_alert where budget = $1 and period = $2 and threshold = $3
