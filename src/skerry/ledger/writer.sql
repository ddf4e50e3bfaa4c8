-- name: one_writer
select pg_advisory_xact_lock(7205759403792793)
