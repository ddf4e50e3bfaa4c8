-- name: insert_token
insert into token (id, digest, subject_uid, resource_uid, scopes, created_at, expires_at, address,
  opened_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: token_by_digest
-- Everything a request needs to know of its caller, in one read.
select t.id, t.scopes, t.expires_at,
  extract(epoch from t.expires_at - skerry_now())::float8 as seconds_left,
  s.kind, s.name, s.tenant, s.spec,
  coalesce((n.spec ->> 'suspended')::boolean, false) as suspended,
  coalesce(e.epoch, 0) as epoch, skerry_now() as now_
from token t
join resource s on s.uid = t.subject_uid and s.deleted_at is null
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
left join authorization_epoch e on e.tenant = s.tenant
where t.digest = $1

-- name: subject_by_uid
select s.kind, s.name, s.tenant, s.spec,
  coalesce((n.spec ->> 'suspended')::boolean, false) as suspended,
  coalesce(e.epoch, 0) as epoch, skerry_now() as now_
from resource s
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
left join authorization_epoch e on e.tenant = s.tenant
where s.uid = $1 and s.deleted_at is null and s.kind in ('user', 'service-account')

-- name: digest_of_token
select digest from token where id = $1

-- name: tokens_like
-- All that its bearer's subject holds, newest first: sessions, and tokens that are resources.
select t.id, t.created_at, t.expires_at, t.last_used_at, t.address, t.opened_by, r.name,
  json_array_length(t.scopes) > 0 as narrowed
from token t left join resource r on r.uid = t.resource_uid
where t.subject_uid = (select subject_uid from token where id = $1)
  and (t.expires_at is null or t.expires_at > skerry_now())
order by t.created_at desc, t.id limit $2

-- name: drop_session_like
-- A session of who bears token $2.
delete from token where id = $1 and resource_uid is null
  and subject_uid = (select subject_uid from token where id = $2)
returning id

-- name: keep_ticket
insert into ticket (digest, token_id, path, expires_at) values ($1, $2, $3, $4)

-- name: take_ticket
delete from ticket where digest = $1
returning token_id, path, expires_at > skerry_now() as live

-- name: drop_old_tickets
delete from ticket where expires_at < skerry_now()

-- name: tokens_used
select resource_uid as uid, last_used_at from token
where resource_uid = any($1::uuid[]) and last_used_at is not null

-- name: newest_of
select * from resource where ref = $1 order by created_at desc limit 1

-- name: token_as_kept
select t.digest, t.scopes, t.expires_at, s.kind, s.name
from token t join resource s on s.uid = t.subject_uid
where t.resource_uid = $1

-- name: extend_token
update token set expires_at = $2 where resource_uid = $1

-- name: drop_token
delete from token where resource_uid = $1

-- name: drop_session
delete from token where digest = $1 and resource_uid is null

-- name: drop_sessions
-- Every login session of a subject.
delete from token where subject_uid = $1 and resource_uid is null

-- name: drop_old_sessions
delete from token where resource_uid is null and expires_at < skerry_now()

-- name: goes_with
-- What a subject leaves behind: its tokens, and the assignments by which it owns workspaces.
select resource_uid as uid from token where subject_uid = $1 and resource_uid is not null
union all
select uid from resource
where kind = 'role-assignment' and tenant = $2 and deleted_at is null
  and (name like 'skerry.owner.%' or name like 'joined.%') and spec -> 'subs' ->> 0 = $3

-- name: mark_used
update token set last_used_at = skerry_now() where id = any($1::uuid[])

-- name: epoch_of
select coalesce((select epoch from authorization_epoch where tenant = $1), 0)

-- name: assignments_naming
-- The assignments of a tenant that name any of these subjects.
select spec from resource
where kind = 'role-assignment' and tenant = $1 and deleted_at is null
  and exists (select from json_array_elements_text(spec -> 'subs') as sub
              where lower(sub) = any($2::text[]))
order by name

-- name: roles_named
select name, spec from resource
where kind = 'role' and tenant = $1 and deleted_at is null and name = any($2::text[])

-- name: user_by_login
-- A user by name or e-mail address, with what is needed to check the password.
select s.uid, s.name, s.spec, c.hash,
  coalesce((n.spec ->> 'suspended')::boolean, false) as suspended
from resource s
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
join credential c on c.subject_uid = s.uid
where s.kind = 'user' and s.tenant = $1 and s.deleted_at is null
  and (s.name = $2 or lower(s.spec ->> 'email') = $2)

-- name: email_taken
select name from resource
where kind = 'user' and tenant = $1 and deleted_at is null and lower(spec ->> 'email') = $2
  and name <> $3

-- name: lock_tenant
-- One change of a tenant's users at a time.
select pg_advisory_xact_lock(hashtextextended('skerry.identity/' || $1, 0))

-- name: password_of
select hash from credential where subject_uid = $1

-- name: set_password
insert into credential (subject_uid, hash, changed_at) values ($1, $2, skerry_now())
on conflict (subject_uid) do update set hash = excluded.hash, changed_at = excluded.changed_at

-- name: drop_password
delete from credential where subject_uid = $1

-- name: count_attempt
-- Counts one more attempt in the window of $2 seconds; answers the count and what is left of it.
insert into login_attempt as a (bucket, failures, since) values ($1, 1, skerry_now())
on conflict (bucket) do update set
  failures = case when a.since < skerry_now() - make_interval(secs => $2)
    then 1 else least(a.failures + 1, 1000000) end,
  since = case when a.since < skerry_now() - make_interval(secs => $2)
    then skerry_now() else a.since end
returning failures,
  ceil(extract(epoch from since + make_interval(secs => $2) - skerry_now()))::integer as seconds_left

-- name: forgive_account
delete from login_attempt where bucket = $1

-- name: forgive_address
update login_attempt set failures = failures - 1 where bucket = $1 and failures > 0

-- name: count_in_workspaces
select w.uid, (select count(*) from resource r
  where r.tenant = w.tenant and r.workspace = w.name and r.deleted_at is null) as count
from resource w where w.uid = any($1::uuid[])

-- name: identity_of_tenant
-- What a tenant has of its own accord, in the order in which it can be deleted.
select uid from resource
where tenant = $1 and deleted_at is null
  and kind in ('notice', 'webhook', 'notice-preference', 'token', 'invitation',
    'role-assignment', 'role', 'service-account', 'user')
order by array_position(
  array['notice', 'webhook', 'notice-preference', 'token', 'invitation',
    'role-assignment', 'role', 'service-account', 'user'], kind)

-- name: issuer_taken
select true from resource
where kind = 'issuer' and deleted_at is null and spec ->> 'url' = $1 and name <> $2

-- name: issuers
select * from resource where kind = 'issuer' and deleted_at is null order by name

-- name: drop_issuer_links
delete from issuer_link where issuer_uid = $1

-- name: drop_user_links
delete from issuer_link where user_uid = $1

-- name: linked
-- The user that an issuer's subject is in a tenant.
select s.uid, s.name, s.spec,
  coalesce((n.spec ->> 'suspended')::boolean, false) as suspended
from issuer_link l
join resource s on s.uid = l.user_uid and s.deleted_at is null
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
where l.issuer_uid = $1 and l.subject = $2 and l.tenant = $3

-- name: user_by_email
select s.uid, s.name, s.spec,
  coalesce((n.spec ->> 'suspended')::boolean, false) as suspended
from resource s
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
where s.kind = 'user' and s.tenant = $1 and s.deleted_at is null and lower(s.spec ->> 'email') = $2

-- name: link
insert into issuer_link (issuer_uid, subject, tenant, user_uid, since)
values ($1, $2, $3, $4, skerry_now())
on conflict (issuer_uid, subject, tenant) do update
set user_uid = excluded.user_uid, since = excluded.since

-- name: begin_sign_in
insert into sign_in (digest, issuer, tenant, back, state, challenge, invitation, user_uid, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, skerry_now() + make_interval(secs => $9))

-- name: take_sign_in
delete from sign_in where digest = $1 and (user_uid is not null) = $2
returning issuer, tenant, back, state, challenge, invitation, user_uid, expires_at > skerry_now() as live

-- name: drop_old_sign_ins
delete from sign_in where expires_at < skerry_now()

-- name: keep_link
insert into one_time_link (digest, tenant, invitation_uid, user_uid, expires_at)
values ($1, $2, $3, $4, $5)

-- name: link_of
-- A link that works once, held until the transaction ends.
select tenant, invitation_uid, user_uid, used_at is not null as used, expires_at > skerry_now() as live
from one_time_link where digest = $1 for update

-- name: use_link
update one_time_link set used_at = skerry_now() where digest = $1

-- name: drop_links_of
-- A newer link, or the end of what it is for, makes the older ones worthless.
delete from one_time_link where (invitation_uid = $1 or user_uid = $1) and used_at is null

-- name: drop_old_links
delete from one_time_link where expires_at < skerry_now() - interval '30 days'

-- name: name_taken
-- Whether a user has this name, or an assignment still speaks of one who had it.
select exists (
  select 1 from resource where kind = 'user' and tenant = $1 and deleted_at is null and name = $2
) or exists (
  select 1 from resource
  where kind = 'role-assignment' and tenant = $1 and deleted_at is null
    and exists (select from json_array_elements_text(spec -> 'subs') as sub
                where lower(sub) in ($2, 'users/' || $2)))

-- name: user_to_reset
-- Who may be sent a link for a new password, by name or address.
select s.uid from resource s
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
where s.kind = 'user' and s.tenant = $1 and s.deleted_at is null
  and coalesce(s.spec ->> 'email', '') <> '' and not coalesce((s.spec ->> 'disabled')::boolean, false)
  and not coalesce((n.spec ->> 'suspended')::boolean, false)
  and (s.name = $2 or lower(s.spec ->> 'email') = $2)

-- name: begin_factor
-- A new seed, unless there is a factor that was confirmed.
insert into second_factor as f (user_uid, seed) values ($1, $2)
on conflict (user_uid) do update set seed = excluded.seed, last_step = 0
where f.confirmed_at is null
returning user_uid

-- name: factor_of
select seed, confirmed_at is not null as confirmed, last_step, recovery
from second_factor where user_uid = $1 for update

-- name: factor_used
update second_factor
set last_step = $2, recovery = $3, confirmed_at = coalesce(confirmed_at, skerry_now())
where user_uid = $1

-- name: ways_in_of
-- Of users: whether they have a password, and a second factor that was confirmed.
select u as uid, c.hash is not null as password, f.confirmed_at is not null as factor
from unnest($1::uuid[]) as u
left join credential c on c.subject_uid = u
left join second_factor f on f.user_uid = u

-- name: has_factor
select confirmed_at is not null from second_factor where user_uid = $1

-- name: drop_factor
delete from second_factor where user_uid = $1

-- name: factor_demanded
-- Whether a tenant demands a second factor of who is known by these names.
select '*' = any(wanted) or exists (
  select 1 from resource a
  where a.kind = 'role-assignment' and a.tenant = $1 and a.deleted_at is null
    and exists (select from json_array_elements_text(a.spec -> 'subs') sub
                where lower(sub) = any($2::text[]))
    and exists (select from json_array_elements_text(a.spec -> 'roles') role
                where role = any(wanted)))
from (
  select array(select json_array_elements_text(spec -> 'secondFactor')) as wanted
  from resource where ref = 'skerry.identity/v1/tenants/' || $1 and deleted_at is null
) t

-- name: issuer_by_url
select name, spec ->> 'url' as url from resource
where kind = 'issuer' and deleted_at is null and spec ->> 'url' = $1

-- name: account_by_name
-- A service account that tokens can be exchanged for.
select s.uid, s.name, s.spec from resource s
join resource n on n.ref = 'skerry.identity/v1/tenants/' || s.tenant and n.deleted_at is null
where s.kind = 'service-account' and s.tenant = $1 and s.name = $2 and s.deleted_at is null
  and not coalesce((s.spec ->> 'disabled')::boolean, false)
  and not coalesce((n.spec ->> 'suspended')::boolean, false)
