-- name: find
select * from resource where ref = $1 and deleted_at is null

-- name: find_all
select * from resource where ref = any($1::text[]) and deleted_at is null

-- name: before_put
-- All that a PUT has to know, in one read: the time, what is there now, held until the end, and
-- for what is new ($2 its tenant, $3 its workspace) the state of its scope, kept from deletion.
select old.*, skerry_now() as now_,
  case when old.uid is null then (
    select state from resource where ref = $2 and deleted_at is null for key share
  ) end as tenant_,
  case when old.uid is null then (
    select state from resource where ref = $3 and deleted_at is null for key share
  ) end as workspace_
from (select) one left join lateral (
  select * from resource where ref = $1 and deleted_at is null for update
) old on true

-- name: find_last
-- The newest of that name, deleted or not.
select * from resource where ref = $1 order by created_at desc limit 1

-- name: by_uid
select * from resource where uid = $1

-- name: by_uid_for_update
select * from resource where uid = $1 for update

-- name: insert
-- The row, its change, and its flow where it has one ($31 is the first step).
with made as (
  insert into resource (uid, kind, ref, name, tenant, workspace, region, parent_ref, owner_uid,
    root_uid, created_by, labels, annotations, extensions, spec, spec_version, status, state,
    conditions, version, generation, created_at, modified_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22, $23)
  on conflict (ref) where deleted_at is null do nothing
  returning uid, kind, ref, tenant, workspace, version, generation
), told as (
  insert into change (id, at, kind, subject, verb, tenant, workspace, actor, version, body, salt,
    leaf, address)
  select $24, $25, kind, ref, $26, tenant, workspace, $27, version, $28, $29, $30, $32 from made
), begun as (
  insert into flow (uid, kind, step, wake_at, entered_at, generation)
  select uid, kind, $31, skerry_now(), skerry_now(), generation from made where $31::text <> ''
)
select uid from made

-- name: update
-- The row and its change. $21 interrupts a wait of its flow, and ``poke`` tells a step in progress:
-- 1 for a new generation, 2 to delete, 0 for neither.
with stored as (
  update resource set labels = $2, annotations = $3, extensions = $4, spec = $5,
    spec_version = $6, status = $7, state = $8, conditions = $9, version = $10, generation = $11,
    modified_at = $12, deleted_at = $13
  where uid = $1
  returning uid, kind, ref, tenant, workspace, version
), told as (
  insert into change (id, at, kind, subject, verb, tenant, workspace, actor, version, body, salt,
    leaf, address)
  select $14, $15, kind, ref, $16, tenant, workspace, $17, version, $18, $19, $20, $22 from stored
)
update flow set wake_at = skerry_now(), poke = poke + 1, deleting = deleting or $21::int = 2
where uid = $1 and $21::int > 0

-- name: parent_of
select uid, state from resource where ref = $1 and deleted_at is null for key share

-- name: point
insert into reference (from_uid, field, to_uid) values ($1, $2, $3) on conflict do nothing

-- name: unpoint
delete from reference where from_uid = $1

-- name: pointing_at
-- Who can't work without it. One that is being deleted itself does not count.
select r.ref, r.kind, r.name from reference p join resource r on r.uid = p.from_uid
where p.to_uid = $1 and r.uid <> $1 and r.state <> 'deleting' and r.deleted_at is null
order by r.ref limit 6

-- name: reaches
-- Would an edge from $1 to any of $2 close a circle?
with recursive reach(uid) as (
  select unnest($2::uuid[])
  union
  select p.to_uid from reach join reference p on p.from_uid = reach.uid
)
select exists (select 1 from reach where uid = $1)

-- name: below
-- What lives in it by path, as names for a message.
select ref, kind, name from resource
where parent_ref = $1 and deleted_at is null and state <> 'deleting' order by ref limit 6

-- name: in_workspace
select ref, kind, name from resource
where tenant = $1 and workspace = $2 and deleted_at is null and state <> 'deleting'
  and owner_uid is null
order by ref limit 6

-- name: in_tenant
select ref, kind, name from resource
where tenant = $1 and deleted_at is null and state <> 'deleting' order by ref limit 6

-- name: children
select * from resource where owner_uid = $1 and deleted_at is null order by ref

-- name: add_intent
-- Asked twice before it is taken is asked once.
update flow set wake_at = skerry_now(), poke = poke + 1, intents = case
    when intents::jsonb @> jsonb_build_array($2::text) then intents
    else (intents::jsonb || jsonb_build_array($2::text))::json end
where uid = $1

-- name: drop_flow
delete from flow where uid = $1

-- name: regions
select name from resource where kind = 'region' and deleted_at is null

-- name: list_head
-- Conditions, an order and a limit follow.
select * from resource where kind = $1 and parent_ref = $2
