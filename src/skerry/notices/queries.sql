-- name: take_key
insert into notice_key (key, at) values ($1, skerry_now()) on conflict (key) do nothing
returning key

-- name: post
insert into notice_outbox
  (id, at, topic, tenant, addresses, webhook, subject, text, facts, once)
values ($1, skerry_now(), $2, $3, $4, $5, $6, $7, $8, $9)

-- name: mail
select mail from notice_office

-- name: set_mail
insert into notice_office (mail) values ($1)
on conflict (single) do update set mail = excluded.mail
where notice_office.mail <> excluded.mail

-- name: to_do
-- All that the office may have to do, in one question. What is being delivered has its due time at
-- the end of its lease.
select
  exists (select from notice_outbox where at <= skerry_now()) as posted,
  exists (select from notice_delivery where phase = 'waiting' and channel = 'mail'
    and due_at <= skerry_now()) as mails,
  exists (select from notice_delivery where phase = 'waiting' and channel = 'webhook'
    and due_at <= skerry_now()) as webhooks,
  exists (select from notice_delivery where phase = 'folded'
    and began_at <= skerry_now() - $1::interval) as folded,
  exists (
    select from alert a left join notice_told t using (subject, reason)
    where a.cleared_at is null and not a.quiet and t.phase is distinct from 'open'
      and (t.at is null or t.at <= skerry_now() - $2::interval))
  or exists (
    select from notice_told t
    where t.phase = 'open' and t.at <= skerry_now() - $2::interval and not exists (
      select from alert a
      where a.subject = t.subject and a.reason = t.reason and a.cleared_at is null)) as alerts

-- name: posted
select id from notice_outbox where at <= skerry_now() order by at, id limit 200

-- name: take_posted
delete from notice_outbox where id = $1 returning *

-- name: postpone
update notice_outbox set at = skerry_now() + $2::interval where id = $1

-- name: tests_waiting
select (select count(*) from notice_outbox where webhook = $1)
  + (select count(*) from notice_delivery d join resource r on r.uid = d.notice
    where d.webhook = $1 and d.phase = 'waiting' and r.spec ->> 'topic' = 'webhook.test')

-- name: tenant_there
select true from resource
where kind = 'tenant' and name = $1 and deleted_at is null and state <> 'deleting'

-- name: preferences
select spec from resource
where kind = 'notice-preference' and tenant = $1 and deleted_at is null

-- name: administrators
-- Whoever has, in the whole tenant, one of the roles that run it, and an address.
select distinct u.spec ->> 'email' as email from resource u
where u.kind = 'user' and u.tenant = $1 and u.deleted_at is null
  and coalesce(u.spec ->> 'email', '') <> '' and not coalesce((u.spec ->> 'disabled')::bool, false)
  and exists (
    select from resource a
    where a.kind = 'role-assignment' and a.tenant = $1 and a.deleted_at is null
      and (a.spec -> 'roles')::jsonb ?| array['seca.admin', 'skerry.operator']
      and (a.spec -> 'subs')::jsonb ?| array['*', u.name, 'users/' || u.name, u.spec ->> 'email']
      and exists (
        select from json_array_elements(a.spec -> 'scopes') s
        where coalesce(json_array_length(s -> 'workspaces'), 0) = 0
          and coalesce(json_array_length(s -> 'regions'), 0) = 0))
order by email

-- name: webhooks
select * from resource
where kind = 'webhook' and tenant = $1 and deleted_at is null
  and coalesce(status ->> 'phase', 'active') <> 'disabled'
order by name

-- name: mails_lately
select count(distinct notice) from notice_delivery
where channel = 'mail' and tenant = $1 and began_at > skerry_now() - $2::interval

-- name: add_delivery
insert into notice_delivery
  (id, notice, tenant, channel, target, webhook, phase, began_at, due_at, once)
values ($1, $2, $3, $4, $5, $6, $7, skerry_now(), skerry_now(), $8)

-- name: deliveries_of
select channel, target, phase, tries, error from notice_delivery where notice = $1
order by channel, target

-- name: send_again
update notice_delivery
set phase = 'waiting', due_at = skerry_now(), began_at = skerry_now(), tries = 0, error = ''
where notice = $1 and phase in ('failed', 'listed')
  and (channel = 'webhook' or (select mail from notice_office))
returning target

-- name: attempts_of_notice
select a.*, d.target, r.name as notice, r.spec ->> 'topic' as topic
from notice_attempt a join notice_delivery d on d.id = a.delivery join resource r on r.uid = d.notice
where d.notice = $1 order by a.at, d.target limit 1000

-- name: attempts_of_webhook
select a.*, d.target, r.name as notice, r.spec ->> 'topic' as topic
from notice_attempt a join notice_delivery d on d.id = a.delivery join resource r on r.uid = d.notice
where d.webhook = $1 order by a.at desc limit 500

-- name: folded
-- Who has been spared mails for long enough, and how many.
select tenant, target, count(*) as many from notice_delivery
where phase = 'folded' and (tenant, target) in (
  select tenant, target from notice_delivery
  where phase = 'folded' and began_at <= skerry_now() - $1::interval)
group by 1, 2 limit 100

-- name: take_folded
update notice_delivery set phase = 'sent'
where phase = 'folded' and tenant = $1 and target = $2
returning notice

-- name: subjects
select spec ->> 'subject' as subject, created_at from resource where uid = any($1::uuid[])
order by created_at, uid limit 100

-- name: claim_mail
update notice_delivery set fence = fence + 1, tries = tries + 1, due_at = skerry_now() + $1::interval
where id = (
  select id from notice_delivery
  where phase = 'waiting' and channel = 'mail' and due_at <= skerry_now()
  order by due_at, id limit 1 for update skip locked)
returning *, skerry_now() as now

-- name: claim_webhook
-- One at a time for each webhook, so that one that hangs keeps no other waiting.
update notice_delivery set fence = fence + 1, tries = tries + 1, due_at = skerry_now() + $1::interval
where id = (
  select id from notice_delivery
  where phase = 'waiting' and channel = 'webhook' and due_at <= skerry_now()
    and not webhook = any($2::uuid[]) and not tenant = any($3::text[])
  order by due_at, id limit 1 for update skip locked)
returning *, skerry_now() as now

-- name: claim_next
update notice_delivery set fence = fence + 1, tries = tries + 1, due_at = skerry_now() + $1::interval
where id = (
  select id from notice_delivery
  where phase = 'waiting' and channel = 'webhook' and due_at <= skerry_now() and webhook = $2
  order by due_at, id limit 1 for update skip locked)
returning *, skerry_now() as now

-- name: renew
-- Not tried after all: the server could not even be asked.
update notice_delivery set tries = tries - 1, due_at = skerry_now() + $3::interval, error = $4
where id = $1 and fence = $2 and phase = 'waiting'

-- name: settle
update notice_delivery
set phase = $3, due_at = skerry_now() + $4::interval, error = $5,
  once = case when $3 <> 'sent' then once end
where id = $1 and fence = $2 and phase = 'waiting'
returning id

-- name: add_attempt
insert into notice_attempt (delivery, number, at, milliseconds, ok, code, said)
select $1, coalesce(max(number), 0) + 1, skerry_now(), $2, $3, $4, $5
from notice_attempt where delivery = $1

-- name: give_up_on
update notice_delivery set phase = 'failed', error = $2
where webhook = $1 and phase = 'waiting'
returning notice

-- name: to_raise
select a.id, a.subject, a.reason, a.tenant, a.message, a.remedy
from alert a left join notice_told t using (subject, reason)
where a.cleared_at is null and not a.quiet and t.phase is distinct from 'open'
  and (t.at is null or t.at <= skerry_now() - $1::interval)
order by a.raised_at, a.id limit 10000

-- name: to_clear
with over as (
  select t.subject, t.reason from notice_told t
  where t.phase = 'open' and t.at <= skerry_now() - $1::interval and not exists (
    select from alert a
    where a.subject = t.subject and a.reason = t.reason and a.cleared_at is null))
select distinct on (a.subject, a.reason)
  a.id, a.subject, a.reason, a.tenant, a.message, a.remedy
from over join alert a using (subject, reason)
order by a.subject, a.reason, a.raised_at desc limit 10000

-- name: forget_told
-- After that long, to have been told that it is over is the same as to have been told nothing.
delete from notice_told where phase = 'cleared' and at <= skerry_now() - $1::interval

-- name: told
insert into notice_told (subject, reason, tenant, phase, at) values ($1, $2, $3, $4, skerry_now())
on conflict (subject, reason) do update set phase = excluded.phase, at = excluded.at,
  tenant = excluded.tenant

-- name: tell_alone
select pg_advisory_xact_lock(hashtextextended('skerry notices of alerts', 0))

-- name: forget_keys
delete from notice_key where at <= skerry_now() - $1::interval

-- name: old_notices
select uid from resource
where kind = 'notice' and deleted_at is null and modified_at <= skerry_now() - $1::interval
  and status ->> 'phase' <> 'sending'
order by modified_at limit $2

-- name: is_old
select true from resource
where uid = $1 and deleted_at is null and modified_at <= skerry_now() - $2::interval
  and status ->> 'phase' <> 'sending'

-- name: forget_deliveries
delete from notice_delivery where notice = $1
