-- name: insert_token
insert into site_token (id, site, digest, made_at) values ($1, $2, $3, skerry_now())

-- name: token
select * from site_token where id = $1

-- name: token_holds
select exists (
  select 1 from site_token where site = $1 and digest = $2 and revoked_at is null
)

-- name: revoke_tokens
update site_token set revoked_at = skerry_now() where site = $1 and revoked_at is null
returning id

-- name: places
select r.* from resource r join place p using (uid) order by p.at

-- name: take_watch
-- Become the one who watches; a place that came to us ($4) is ours whoever watched before.
insert into site_contact (at, watcher, watcher_until)
values ($1, $2, skerry_now() + $3::interval)
on conflict (at) do update set watcher = $2, watcher_until = skerry_now() + $3::interval
where $4 or site_contact.watcher = $2 or site_contact.watcher_until is null
  or site_contact.watcher_until < skerry_now()
returning at

-- name: hold_watch
-- In every transaction of a watcher: still the one? Also locks the row.
update site_contact set watcher_until = skerry_now() + $3::interval
where at = $1 and watcher = $2
returning skerry_now() as now

-- name: leave_watches
update site_contact set watcher_until = null where watcher = $1

-- name: connected
update site_contact set connected_at = skerry_now(), agent_version = $2, boot_id = $3
where at = $1

-- name: seen_place
update site_contact set last_seen_at = skerry_now(), capacity = coalesce($2, capacity)
where at = $1

-- name: known_capacity
select capacity from site_contact where at = $1

-- name: contacts_of_places
select p.uid, p.at, c.last_seen_at from site_contact c join place p using (at) order by p.at

-- name: hold_silent_contact
-- Whether it has been silent since; who says otherwise at this moment is waited for.
select true from site_contact where at = $1 and last_seen_at = $2 for update

-- name: contacts
select * from site_contact where at = any($1::text[])

-- name: forget_contact
delete from site_contact where at = $1

-- name: open_outage
insert into site_outage (id, at, began_at) values ($1, $2, $3)
on conflict (at) where ended_at is null do nothing
returning id

-- name: close_outage
update site_outage set ended_at = greatest(skerry_now(), began_at)
where at = $1 and ended_at is null
returning id

-- name: outage
select * from site_outage where id = $1

-- name: outages_between
select began_at, ended_at from site_outage
where at = $1 and began_at < $3 and (ended_at is null or ended_at > $2)
order by began_at

-- name: open_outages
select at, began_at from site_outage where at = any($1::text[]) and ended_at is null

-- name: own_workload
-- Nothing comes back if the id is already someone else's.
insert into workload (id, at, owner, tenant, made_at)
values ($1, $2, $3, $4, skerry_now())
on conflict (id) do update set id = excluded.id
where workload.at = $2 and workload.owner = $3
returning id

-- name: workload
select * from workload where id = $1

-- name: workloads_of
select * from workload where owner = $1 order by made_at, id

-- name: workloads_below
-- Of a resource and of all that it owns; $2 is a name, or empty for any.
with recursive part as (
  select uid, name from resource where uid = $1
  union all
  select r.uid, r.name from resource r join part on r.owner_uid = part.uid
)
select w.* from workload w join part on part.uid = w.owner
where $2 = '' or part.name = $2
order by w.made_at, w.id

-- name: owners_at
select distinct owner from workload
where at = $1 and gone_at is null and given_up_at is null order by owner

-- name: lock_workloads
-- In the order of their ids, so that no two writers wait for each other.
select * from workload where at = $1 and id = any($2::text[]) order by id for update

-- name: see_workload
update workload set status = $2, fence = $3, seen_at = skerry_now(), started_at = $4,
  ended_at = $5
where id = $1

-- name: workload_gone
update workload set gone_at = skerry_now(), seen_at = skerry_now() where id = $1

-- name: workload_back
update workload set gone_at = null where id = $1

-- name: give_up_workload
update workload set given_up_at = coalesce(given_up_at, skerry_now()) where id = $1

-- name: missing_workloads
-- Seen before this list was asked for, and not on it.
select id from workload
where at = $1 and gone_at is null and seen_at < $2 and not (id = any($3::text[]))

-- name: given_up_workloads
select id, fence from workload
where at = $1 and given_up_at is not null and gone_at is null and seen_at is not null

-- name: live_workloads
select count(*) from workload
where at = $1 and gone_at is null and given_up_at is null

-- name: see_orphans
insert into site_orphan (at, id, first_seen_at, status)
select $1, id, skerry_now(), status::json from unnest($2::text[], $3::text[]) as t (id, status)
on conflict (at, id) do update set status = excluded.status

-- name: drop_orphans
delete from site_orphan where at = $1 and not (id = any($2::text[]))

-- name: drop_orphan
delete from site_orphan where at = $1 and id = $2 returning id

-- name: orphans_at
-- Of each place at most $2.
select p.at, o.id from unnest($1::text[]) as p (at)
cross join lateral (select id from site_orphan where at = p.at order by id limit $2) o

-- name: last_seen
select last_seen_at from site_contact where at = $1

-- name: owners_of_workloads
-- Of those that are at a place: no host speaks for what another runs.
select id, owner from workload where at = $1 and id = any($2::text[])

-- name: unread_workloads
-- Those that have ended, and whose log is not all collected.
select id, owner, status from workload
where at = $1 and ended_at is not null and gone_at is null and log_read_at is null
  and status is not null
order by ended_at limit $2

-- name: unread_workload
select id, owner, status from workload
where id = $1 and log_read_at is null and status is not null

-- name: log_read
update workload set log_read_at = skerry_now() where id = any($1::text[])

-- name: drop_cursors
-- Places in logs that nobody will read on: their workloads are gone.
delete from log_cursor c
where c.read_at < skerry_now() - interval '1 day'
  and not exists (select from workload w where w.id = c.workload and w.gone_at is null)

-- name: clock_seen
update site_contact set clock_ahead = $2 where at = $1

-- name: hosts_of
select parent_ref as site, coalesce(status ->> 'phase', '') as phase, count(*) as hosts
from resource where kind = 'host' and parent_ref = any($1::text[]) and deleted_at is null
group by 1, 2 order by 1, 2
