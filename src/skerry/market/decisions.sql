-- name: add
-- A decision, and its change ($12 and on).
with told as (
  insert into change (id, at, kind, subject, verb, tenant, workspace, actor, version, body, salt,
    leaf, address)
  values ($12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
)
insert into decision (id, at, tenant, workspace, owner, subject, purpose, outcome, base, changes,
  body)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: find
select * from decision where id = $1

-- name: last_of
select * from decision where owner = $1 order by at desc, id limit 1

-- name: all_of
select * from decision where owner = $1 order by at desc, id limit $2
