-- Due is what waits no longer and is held by nobody: one index for claims and for the next wake.
create index flow_due on flow (greatest(wake_at, lease_until));
drop index flow_wake;
-- A flow's row is written at each of its steps.
alter table flow set (fillfactor = 70);
