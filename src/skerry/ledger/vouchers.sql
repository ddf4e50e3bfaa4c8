-- name: add
insert into voucher (name, digest, amount, currency, source, expires_at)
values ($1, $2, $3, $4, $5, $6)

-- name: of_code
select name, amount, currency, source, expires_at, state from voucher where digest = $1 for update

-- name: redeem
update voucher set state = 'redeemed', tenant = $2, ended_at = $3 where name = $1

-- name: expire
update voucher set state = 'expired', ended_at = $1 where name in (
  select name from voucher where state = 'open' and expires_at <= $1
  order by name limit 500 for update skip locked)
returning name, amount, currency, source

-- name: shown
select name, state, tenant, ended_at from voucher where name = any($1::text[])

-- name: body
select name, amount, currency, source, expires_at, state, tenant from voucher where name = $1
