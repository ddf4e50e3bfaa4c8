-- name: take_key
insert into notice_key (key, at) values ($1, skerry_now()) on conflict (key) do nothing
returning key

-- name: post
insert into notice_outbox
  (id, at, topic, tenant, addresses, webhook, subject, text, facts, once)
values ($1, skerry_now(), $2, $3, $4, $5, $6, $7, $8, $9)

-- name: mail
select mail from notice_office
