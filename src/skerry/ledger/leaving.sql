-- name: known
-- Whether anybody of this name was ever charged or invoiced, or has money here.
select exists (select 1 from spending where tenant = $1 and amount <> 0)
  or exists (select 1 from account where owner = $1 and credits_posted <> debits_posted)
  or exists (select 1 from issued_invoice where tenant = $1)

-- name: sells
select exists (select 1 from resource where kind = 'seller' and name = $1 and deleted_at is null)

-- name: runs
select exists (select 1 from hold where tenant = $1 and state <> 'closed')

-- name: used
select period, sum(amount) as amount from spending where tenant = $1
group by period having sum(amount) <> 0

-- name: issued
select period from issued_invoice where tenant = $1 and type = 'invoice'

-- name: began
select created_at from resource where kind = 'tenant' and name = $1 and deleted_at is null

-- name: resources
-- What billing shows of a tenant.
select uid from resource
where tenant = $1 and deleted_at is null
  and kind in ('budget', 'billing-account', 'agreement', 'credit', 'invoice', 'redemption',
    'price-list')
order by kind, name
