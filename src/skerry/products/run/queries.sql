-- name: phase
-- Of a resource, or of what it owns by a name.
select status ->> 'phase' from resource
where deleted_at is null
  and (uid = $1 and $2::text = '' or owner_uid = $1 and name = $2 and $2 <> '')

-- name: notes
-- What a flow notes for itself.
select data from flow where uid = $1

-- name: in_turn
-- Those that say the same go on one after the other, until their transactions end.
select pg_advisory_xact_lock(hashtextextended('in-turn ' || $1, 0))
