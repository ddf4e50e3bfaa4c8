-- name: open_accounts
insert into account (id, owner, workspace, code, currency, guard, allowance)
select id, owner, workspace, code, currency, guard, 0
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
  as t (id, owner, workspace, code, currency, guard)
on conflict do nothing

-- name: lock_account
select 1 from account where id = $1 for no key update

-- name: guard_account
update account set guard = $2, allowance = $3 where id = $1

-- name: terms_now
select mode, credit_limit, currency, version from terms where tenant = $1
order by version desc limit 1

-- name: terms_at
select mode, credit_limit, currency, version from terms where tenant = $1 and version = $2

-- name: add_terms
insert into terms (tenant, version, mode, credit_limit, currency, at)
values ($1, $2, $3, $4, $5, $6)

-- name: account
select id, owner, workspace, code, currency, guard, allowance,
  debits_pending, debits_posted, credits_pending, credits_posted
from account where id = $1

-- name: accounts
select id, owner, workspace, code, currency, guard, allowance,
  debits_pending, debits_posted, credits_pending, credits_posted
from account where id = any($1::uuid[])

-- name: accounts_locked
-- In the order of their ids, which keeps any two transactions from waiting for each other.
select id, owner, workspace, code, currency, guard, allowance,
  debits_pending, debits_posted, credits_pending, credits_posted
from account where id = any($1::uuid[]) order by id for no key update

-- name: transfers_by_id
-- Transfers, and which of them have ended.
select t.id, t.verb, t.debit, t.credit, t.amount, t.pending, t.expires_at, t.code, t.subject,
  exists (select from transfer e where e.pending = t.id) as ended
from transfer t where t.id = any($1::uuid[])
