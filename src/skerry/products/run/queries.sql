-- name: phase
select status ->> 'phase' from resource where uid = $1 and deleted_at is null

-- name: notes
-- What a flow notes for itself.
select data from flow where uid = $1

-- name: in_turn
-- Those that say the same go on one after the other, until their transactions end.
select pg_advisory_xact_lock(hashtextextended('in-turn ' || $1, 0))
