-- name: look
-- Time as others read it, how much of it is held, and since when this Postgres runs.
select skerry_now() as now, held, pg_postmaster_start_time() as born from clock

-- name: clock
-- The same, for whoever changes it: one at a time.
select clock_timestamp() + shift + held as now, held from clock for update

-- name: hold
update clock set held = $1

-- name: open
select subject, reason, raised_at from alert
where cleared_at is null and reason = any($1::text[])
